/** Asks before something is done that people notice. */

import { byId, element } from '../elements';

export interface Field {
  name: string;
  label: string;
  value: string;
  type: 'text' | 'number';
}

/** What was answered, by the fields' names; null when it was taken back. */
export function ask(title: string, explanation: string, action: string, fields: Field[] = []): Promise<Record<string, string> | null> {
  const dialog = byId('question') as HTMLDialogElement;
  const form = element('form', { method: 'dialog' }, element('h2', {}, title), element('p', {}, explanation));
  for (const { name, label, value, type } of fields) {
    form.append(element('label', {}, label, element('input', { name, value, type, required: '', ...(type === 'number' && { step: 'any', min: '0' }) })));
  }
  const cancel = element('button', { type: 'button' }, 'Cancel');
  form.append(element('div', { class: 'row' }, element('button', { class: 'main', value: 'yes' }, action), cancel));
  dialog.replaceChildren(form);
  return new Promise((resolve) => {
    cancel.onclick = () => dialog.close('');
    dialog.onclose = () => {
      const entries = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
      resolve(dialog.returnValue === 'yes' ? Object.fromEntries(entries) : null);
    };
    dialog.returnValue = '';
    dialog.showModal();
  });
}
