/** The editor: the files of a spell, a tab each when there are several, and what the compiler says about them. */

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
  private readonly tabs = element('div', { class: 'tabs', role: 'tablist', 'aria-label': 'files' });
  readonly view: EditorView;
  /** By path; that of the file which is shown is the view's. */
  private readonly states = new Map<string, EditorState>();
  private path = ROOT;

  /** `leave` is for whoever presses Escape, for TAB indents here. */
  constructor(private readonly changed: () => void, private readonly leave: () => void) {
    const place = element('div', { class: 'source' });
    this.root.append(this.tabs, place);
    this.view = new EditorView({ parent: place });
  }

  /** Begins with these files; undoing goes no further back than here. */
  open(files: Map<string, string>): void {
    this.states.clear();
    for (const [path, text] of files) this.states.set(path, this.fresh(path, text));
    this.show(this.states.has(ROOT) ? ROOT : ([...this.states.keys()][0] ?? ROOT));
  }

  /** The files as they are now. */
  files(): Map<string, string> {
    this.states.set(this.path, this.view.state);
    return new Map([...this.states].map(([path, { doc }]) => [path, doc.toString()]));
  }

  /** Underlines what the compiler found, and nothing that it found before. */
  mark(diagnostics: Diagnostic[]): void {
    this.states.set(this.path, this.view.state);
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
    this.show(diagnostic.file);
    const anchor = place(this.view.state.doc, diagnostic.line, diagnostic.column);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.view.focus();
  }

  focus(): void {
    this.view.focus();
  }

  private show(path: string): void {
    if (path !== this.path && this.states.has(this.path)) this.states.set(this.path, this.view.state);
    this.path = path;
    this.view.setState(this.states.get(path) ?? this.fresh(path, ''));
    this.tabs.hidden = this.states.size < 2;
    this.tabs.replaceChildren(...[...this.states.keys()].map((name) => {
      const tab = element('button', { type: 'button', role: 'tab', 'aria-selected': String(name === path) }, name);
      tab.onclick = () => this.show(name);
      return tab;
    }));
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
