//! => failed
compile_error!(concat!(file!(), " ", module_path!(), " ", env!("TMPDIR")));
