// Questions that a person has to answer first.
import { h, nextId } from './dom.js';

/** Asks; resolves with the values of the fields by name, or null when the answer is no. */
export function ask({ title, body, fields = [], confirm, tone = 'plain', cancel = 'Cancel' }) {
  return new Promise(resolve => {
    const titleId = nextId('title');
    const inputs = fields.map(field => {
      const id = nextId('field');
      const input = h('input', {
        id, name: field.name, type: field.type ?? 'text', required: field.required ?? false, maxlength: field.maxLength ?? 512, autocomplete: 'off',
        placeholder: field.placeholder ?? null, spellcheck: 'false',
      });
      return { input, row: h('p', { class: 'field' }, h('label', { for: id }, field.label), input) };
    });
    const form = h('form', { method: 'dialog' },
      h('h2', { id: titleId }, title), body ? h('div', { class: 'dialog-body' }, body) : null, inputs.map(i => i.row),
      h('div', { class: 'buttons' },
        cancel ? h('button', { type: 'button', onclick: () => dialog.close('') }, cancel) : null,
        h('button', { type: 'submit', class: tone === 'danger' ? 'danger' : 'primary', value: 'yes' }, confirm)));
    const dialog = h('dialog', { 'aria-labelledby': titleId, class: 'ask' }, form);
    let answer = null;
    form.addEventListener('submit', () => { answer = Object.fromEntries(inputs.map(i => [i.input.name, i.input.value.trim()])); });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

let toastTimer = 0;
/** Says in a corner what has been done, or why not. */
export function say(message, tone = 'good') {
  document.querySelector('.toast')?.remove();
  clearTimeout(toastTimer);
  const toast = h('div', { class: 'toast', role: tone === 'bad' ? 'alert' : 'status', 'data-tone': tone }, message);
  document.body.append(toast);
  toastTimer = setTimeout(() => toast.remove(), tone === 'bad' ? 10000 : 5000);
}
