// The script of the page at /docs: sends the request of a form with the token of the page, and shows the answer and the same for a shell.

/** As the browser gets it. */
export const docsScript = String.raw`'use strict';
const tokenField = document.getElementById('token');
const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll('input')) {
    if (field.dataset.in === 'path') path = path.replace('{' + field.name + '}', encodeURIComponent(field.value));
    else if (field.value !== '') query.append(field.name, field.value);
  }
  const text = query.toString();
  const body = form.querySelector('textarea');
  return { target: text === '' ? path : path + '?' + text, body: body === null ? undefined : body.value };
}

async function send(form) {
  const shown = form.querySelector('pre');
  const { target, body } = requestOf(form);
  const headers = {};
  if (tokenField.value !== '') headers.Authorization = 'Bearer ' + tokenField.value;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const curl =
    'curl -H "Authorization: Bearer $CONNECTOR_TOKEN"' +
    (body === undefined ? '' : ' --json ' + quote(body)) + ' ' + quote(location.origin + target);
  let answer;
  try {
    const response = await fetch(target, { method: form.dataset.method.toUpperCase(), headers, body });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') || '').includes('json');
    answer = response.status + ' ' + response.statusText + '\n\n' + (isJson ? JSON.stringify(JSON.parse(text), null, 2) : text);
  } catch (error) {
    answer = 'no answer: ' + error;
  }
  shown.hidden = false;
  shown.textContent = curl + '\n\n' + answer;
}

for (const form of document.querySelectorAll('form'))
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form);
  });
`;
