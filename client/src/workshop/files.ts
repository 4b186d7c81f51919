/** The files of the spell in hand: a tab each, text in the editor and the others as what they are; and adding, renaming and removing them. */

import { element } from '../elements';
import type { Editor } from './editor';
import { ASSET_BYTES_MAX, PACKAGE_FILES_MAX } from './limits';
import { base64, bytesOf, kindOf, pathProblem, placeOf, ROOT, type Project } from './project';

export class Files {
  readonly root = element('div', { class: 'files' });
  private readonly tabs = element('div', { class: 'tabs', role: 'tablist', 'aria-label': 'files' });
  private readonly tools = element('div', { class: 'tools' });
  private readonly form = element('form', { class: 'row', hidden: '' });
  private readonly path = element('input', { 'aria-label': 'the file’s path', placeholder: 'src/other.rs', spellcheck: 'false', autocomplete: 'off' });
  private readonly go = element('button', { class: 'main', type: 'submit' });
  private readonly disk = element('input', { type: 'file', multiple: '', hidden: '' });
  private readonly fromDisk = element('button', { type: 'button', title: 'Pictures and sounds go below assets/' }, 'From the disk…');
  private readonly problem = element('p', { class: 'problem', role: 'alert', hidden: '' });
  private readonly asset = element('div', { class: 'asset', hidden: '' });
  private assets = new Map<string, string>();
  private shown = ROOT;
  /** What the form does with a path: makes a file of it, or renames the one that is shown. */
  private renames = false;

  constructor(private readonly editor: Editor, private readonly changed: () => void) {
    const away = element('button', { type: 'button', title: 'Close' }, '×');
    away.onclick = () => this.close();
    this.fromDisk.onclick = () => this.disk.click();
    this.disk.onchange = () => void this.take([...(this.disk.files ?? [])]);
    this.form.append(this.path, this.go, this.fromDisk, this.disk, away);
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.submit(this.path.value.trim());
    };
    this.root.append(element('div', { class: 'bar' }, this.tabs, this.tools), this.form, this.problem, this.asset);
    editor.jumped = (path) => this.show(path);
  }

  open({ files, assets }: Pick<Project, 'files' | 'assets'>): void {
    this.assets = new Map(assets);
    this.editor.open(files);
    this.close();
    this.show(files.has(ROOT) ? ROOT : (this.paths()[0] ?? ROOT));
  }

  current(): Pick<Project, 'files' | 'assets'> {
    return { files: this.editor.files(), assets: new Map(this.assets) };
  }

  private paths(): string[] {
    return [...this.editor.paths(), ...this.assets.keys()];
  }

  private show(path: string): void {
    this.shown = path;
    const content = this.assets.get(path);
    this.asset.hidden = content === undefined;
    this.editor.root.hidden = content !== undefined;
    if (content === undefined) this.editor.show(path);
    else this.asset.replaceChildren(...preview(path, content));
    this.draw();
  }

  private draw(): void {
    const tabs = this.paths().map((path) => {
      const tab = element('button', { type: 'button', role: 'tab', 'aria-selected': String(path === this.shown) }, path);
      tab.onclick = () => this.show(path);
      tab.ondblclick = () => this.ask(true);
      return tab;
    });
    const tool = (words: string, title: string, pressed: () => void): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'tool', title, 'aria-label': title }, words);
      made.onclick = pressed;
      return made;
    };
    const tools = [tool('+', 'Add a file', () => this.ask(false))];
    // The source begins there.
    if (this.shown !== ROOT) tools.push(tool('✎', `Rename ${this.shown}`, () => this.ask(true)), tool('×', `Remove ${this.shown}`, () => this.remove()));
    this.tools.replaceChildren(...tools);
    this.tabs.replaceChildren(...tabs);
    tabs.find((tab) => tab.ariaSelected === 'true')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  private ask(renames: boolean): void {
    if (renames && this.shown === ROOT) return;
    this.renames = renames;
    this.path.value = renames ? this.shown : '';
    this.go.textContent = renames ? 'Rename' : 'Add';
    this.fromDisk.hidden = renames;
    this.form.hidden = false;
    this.say('');
    this.path.focus();
  }

  private close(): void {
    this.form.hidden = true;
    this.say('');
  }

  private say(words: string): void {
    this.problem.textContent = words;
    this.problem.hidden = words === '';
  }

  private submit(path: string): void {
    const others = this.renames ? this.paths().filter((one) => one !== this.shown) : this.paths();
    const problem = pathProblem(path, others);
    if (problem) return this.say(problem);
    const isText = kindOf(path) === 'text';
    if (this.renames && isText !== this.editor.paths().includes(this.shown)) return this.say('what is text stays text, and what is none stays none');
    if (!this.renames && !isText) return this.say(`${path} is no text: take it from the disk`);
    if (!this.renames) this.editor.add(path, '');
    else if (isText) this.editor.rename(this.shown, path);
    else this.assets = new Map([...this.assets].map(([one, content]) => [one === this.shown ? path : one, content]));
    this.settle(path);
  }

  /** Files as somebody has chosen them. All that can be taken are. */
  private async take(chosen: File[]): Promise<void> {
    this.disk.value = '';
    const problems: string[] = [];
    for (const file of chosen) {
      const path = placeOf(file.name);
      const problem = pathProblem(path, this.paths())
        ?? (this.paths().length >= PACKAGE_FILES_MAX ? `a spell has at most ${PACKAGE_FILES_MAX} files` : null)
        ?? (file.size > ASSET_BYTES_MAX ? `${file.size} bytes are over the limit of ${ASSET_BYTES_MAX}` : null);
      if (problem) {
        problems.push(`${file.name}: ${problem}`);
        continue;
      }
      if (kindOf(path) === 'text') this.editor.add(path, await file.text());
      else this.assets.set(path, base64(await file.arrayBuffer()));
      this.settle(path);
    }
    this.say(problems.join('; '));
  }

  private remove(): void {
    if (!this.assets.delete(this.shown)) this.editor.remove(this.shown);
    this.settle(ROOT);
  }

  private settle(path: string): void {
    this.close();
    this.changed();
    this.show(path);
  }
}

/** A picture as it looks, anything else as how much it is. */
function preview(path: string, content: string): HTMLElement[] {
  const ending = path.slice(path.lastIndexOf('.') + 1);
  const bytes = bytesOf(content);
  const about = element('p', { class: 'hint' }, `${path}, ${bytes.toLocaleString('en')} bytes`);
  const types: Record<string, string> = { png: 'png', jpg: 'jpeg', jpeg: 'jpeg', webp: 'webp' };
  const type = types[ending];
  return type ? [element('img', { src: `data:image/${type};base64,${content}`, alt: path }), about] : [about];
}
