/** The editor: a spell's texts, one of them shown, and what the compiler says about them. */

import { indentWithTab } from '@codemirror/commands';
import { indentUnit } from '@codemirror/language';
import { rust } from '@codemirror/lang-rust';
import { lintGutter, setDiagnostics, type Diagnostic as Squiggle } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { element } from '../elements';
import type { Diagnostic } from './author';
import { ROOT } from './project';
import { theme } from './theme';

export class Editor {
  readonly root = element('div', { class: 'editor' });
  readonly view: EditorView;
  /** Told when it shows another file by itself. */
  jumped: (path: string) => void = (path) => this.show(path);
  /** By path; that of the file which is shown is the view's. */
  private readonly states = new Map<string, EditorState>();
  private path = ROOT;

  /** `leave` is for whoever presses Escape, for TAB indents here. */
  constructor(private readonly changed: () => void, private readonly leave: () => void) {
    const place = element('div', { class: 'source' });
    this.root.append(place);
    this.view = new EditorView({ parent: place });
  }

  /** Begins with these files; undoing goes no further back than here. */
  open(files: Map<string, string>): void {
    this.states.clear();
    for (const [path, text] of files) this.states.set(path, this.fresh(path, text));
    this.path = '';
  }

  paths(): string[] {
    return [...this.states.keys()];
  }

  add(path: string, text: string): void {
    this.states.set(path, this.fresh(path, text));
  }

  /** Its text begins anew under the new name: what it was is not undone into a file of another name. */
  rename(from: string, to: string): void {
    const renamed = [...this.files()].map(([path, text]): [string, EditorState] => (path === from ? [to, this.fresh(to, text)] : [path, this.states.get(path) ?? this.fresh(path, text)]));
    this.states.clear();
    for (const [path, state] of renamed) this.states.set(path, state);
    if (this.path === from) this.path = '';
  }

  remove(path: string): void {
    this.states.delete(path);
    if (this.path === path) this.path = '';
  }

  /** The files as they are now. */
  files(): Map<string, string> {
    this.put();
    return new Map([...this.states].map(([path, { doc }]) => [path, doc.toString()]));
  }

  /** Underlines what the compiler found, and nothing that it found before. */
  mark(diagnostics: Diagnostic[]): void {
    this.put();
    for (const [path, state] of this.states) {
      const own = diagnostics.filter(({ file, line }) => file === path && line > 0);
      const marks = setDiagnostics(state, own.map((diagnostic) => squiggle(state.doc, diagnostic)));
      if (path === this.path) this.view.dispatch(marks);
      else this.states.set(path, state.update(marks).state);
    }
  }

  /** Puts the cursor where it is wrong. */
  jump(diagnostic: Diagnostic): void {
    if (!this.states.has(diagnostic.file)) return;
    this.jumped(diagnostic.file);
    const anchor = place(this.view.state.doc, diagnostic.line, diagnostic.column);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.view.focus();
  }

  focus(): void {
    this.view.focus();
  }

  show(path: string): void {
    this.put();
    this.path = path;
    this.view.setState(this.states.get(path) ?? this.fresh(path, ''));
  }

  /** What is shown is the view's; this keeps it. */
  private put(): void {
    if (this.states.has(this.path)) this.states.set(this.path, this.view.state);
  }

  private fresh(path: string, doc: string): EditorState {
    const escape = { key: 'Escape', run: () => (this.leave(), true) };
    const extensions = [
      // What Escape closes in the editor itself, search and completion, comes first.
      basicSetup, keymap.of([indentWithTab, escape]), indentUnit.of('    '), lintGutter(), theme,
      EditorView.contentAttributes.of({ 'aria-label': `source of ${path}` }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) this.changed();
      }),
    ];
    return EditorState.create({ doc, extensions: path.endsWith('.rs') ? [extensions, rust()] : extensions });
  }
}

function squiggle(doc: Text, { severity, line, column, end_line, end_column, message, help, code }: Diagnostic): Squiggle {
  const from = place(doc, line, column);
  const to = Math.max(place(doc, end_line, end_column), Math.min(from + 1, doc.length));
  return { from, to, severity, message: help ? `${message}\nhelp: ${help}` : message, ...(code && { source: code }) };
}

/** The compiler counts characters, the editor UTF-16 units. A build may be about a text that is shorter by now. */
function place(doc: Text, line: number, column: number): number {
  const { from, text } = doc.line(Math.max(1, Math.min(line, doc.lines)));
  return from + [...text].slice(0, column - 1).join('').length;
}
