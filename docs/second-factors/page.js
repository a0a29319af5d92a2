// Logs in, with a second factor if the user has one, and adds a second factor. docs/second-factors.md explains it.
// The client handles the tokens; docs/front-end.md explains that.

import { Client, LoggedOut, Refused } from '../front-end/client.js';
import { cookie, server } from './settings.js';

const client = new Client(server, { cookie });
const element = (id) => document.getElementById(id);
const form = (id) => element(id).querySelector('form');

let view = 'login'; // the id of the visible section
let waiting = null; // the challenge to answer, and the methods for it
let adding = null; // the factor to add once an existing one has been used
let enrolment = null; // the enrolment to confirm

function show(id) {
  view = id;
  element('trouble').textContent = element('said').textContent = '';
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
  for (const field of document.querySelectorAll('input[name=password], input[name=code]')) field.value = '';
  // Screen readers announce the section.
  element(id).querySelector('h1').focus();
}

/** Runs `act`; on a refusal, goes on to the next step or shows the error. */
async function attempt(act) {
  element('trouble').textContent = element('said').textContent = '';
  try {
    await act();
  } catch (error) {
    const { code, challenge, methods } = error.answer ?? {};
    if (code === 'second_factor_required') return askFactor({ challenge, methods });
    if (code === 'second_factor_enrolment_required') return askKind({ challenge });
    // The challenge is used up or has expired: start again with the password.
    if (code === 'challenge_not_valid' || error instanceof LoggedOut) await begin();
    element('trouble').textContent = words(error);
    element(view).querySelector('input[name=code], input[name=password]')?.focus();
  }
}

function words(error) {
  if (error.name === 'NotAllowedError') return 'The browser got no answer from a passkey.';
  const { answer } = error;
  // Without a `detail`, each field has a list of messages.
  return answer && !answer.detail ? Object.values(answer).flat().join(' ') : error.message;
}

const on = (target, event, act) =>
  target.addEventListener(event, (happened) => {
    happened.preventDefault();
    attempt(() => act(happened.target));
  });

function begin() {
  [waiting, adding, enrolment] = [null, null, null];
  return client.isLoggedIn ? home() : show('login');
}

// A login or a logout, in this tab or another one.
client.onchange = () => {
  const hasLoggedIn = view === 'login' || (view === 'factor' && !adding);
  const isBehind = client.isLoggedIn ? hasLoggedIn : !waiting && view !== 'login';
  if (isBehind) attempt(begin);
};

/** Calls the API as the logged-in user. */
async function call(path, body) {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const reply = await client.fetch(path, body && json);
  const answer = await reply.json();
  if (!reply.ok) throw new Refused({ status: reply.status, answer });
  return answer;
}

// ---- Logging in ----

on(form('login'), 'submit', ({ username, password }) => client.login(username.value, password.value));

function askFactor(login, wanted = null) {
  [waiting, adding] = [login, wanted];
  show('factor');
  element('remember').hidden = Boolean(wanted);
  const choices = [...form('factor').method];
  for (const radio of choices) radio.parentElement.hidden = !login.methods.includes(radio.value);
  // The page lists the strongest method first.
  choices.find((radio) => !radio.parentElement.hidden).checked = true;
  chooseMethod();
}

function chooseMethod() {
  const { method, code } = form('factor');
  const isNumber = ['totp', 'email'].includes(method.value);
  element('send').hidden = method.value !== 'email';
  element('code').hidden = code.disabled = method.value === 'passkey';
  code.inputMode = isNumber ? 'numeric' : 'text';
  code.autocomplete = isNumber ? 'one-time-code' : 'off';
  code.value = '';
}

form('factor').addEventListener('change', ({ target }) => target.name === 'method' && chooseMethod());

on(element('send'), 'click', async () => {
  const { detail } = await client.post('/api/token/second-factor/email/', { challenge: waiting.challenge });
  element('said').textContent = detail;
  form('factor').code.focus();
});

on(form('factor'), 'submit', async ({ method, code, remember }) => {
  const answer = { challenge: waiting.challenge, method: method.value, remember: remember.checked };
  if (method.value === 'passkey') answer.credential = await usePasskey(waiting.challenge);
  else answer.code = code.value;
  if (adding) return add({ ...adding, ...answer });
  await client.enter('/api/token/second-factor/', answer);
});

async function usePasskey(challenge) {
  const { options } = await client.post('/api/token/second-factor/passkey/', { challenge });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

// ---- Logged in ----

const NAMES = { email: 'Codes by email', totp: 'Authenticator app', passkey: 'Passkey' };

async function home() {
  const [me, own] = await Promise.all([call('/api/me/'), call('/api/second-factors/')]);
  show('home');
  // The hidden field is for password managers.
  element('name').textContent = form('add').username.value = me.username;
  const texts = own.factors.map(({ kind, name }) => (name === NAMES[kind] ? name : `${NAMES[kind]}: ${name}`));
  if (texts.length) texts.push(`Recovery codes: ${own.recovery_codes} left`);
  list(element('factors'), texts.length ? texts : ['None: your password is all that it takes.']);
}

function list(target, texts) {
  target.replaceChildren(...texts.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

on(element('logout'), 'click', () => client.logout());
on(element('adding'), 'click', () => askKind(null));

// ---- Adding a factor: with the password when logged in, with the challenge during a login that requires one ----

function askKind(login) {
  waiting = login;
  show('add');
  form('add').kind.value = 'email';
  element('must').hidden = !login;
  element('own').hidden = form('add').password.disabled = Boolean(login);
}

on(form('add'), 'submit', async ({ kind, password }) => {
  if (waiting) return add({ kind: kind.value, challenge: waiting.challenge });
  const wanted = { kind: kind.value, password: password.value };
  const { factors } = await call('/api/second-factors/');
  return factors.length ? askFactor(await call('/api/second-factors/challenge/', {}), wanted) : add(wanted);
});

async function add(wanted) {
  const path = '/api/second-factors/';
  const begun = wanted.password ? await call(path, wanted) : await client.post(path, wanted);
  if (adding) [waiting, adding] = [null, null];
  enrolment = begun.enrolment;
  const { kind } = wanted;
  if (kind === 'passkey') {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options.publicKey);
    return finish({ credential: (await navigator.credentials.create({ publicKey })).toJSON() });
  }
  show('confirm');
  element('mailed').hidden = kind !== 'email';
  element('app').hidden = kind !== 'totp';
  if (kind === 'totp') {
    element('secret').textContent = begun.secret;
    element('qr').src = `data:image/svg+xml,${encodeURIComponent(begun.qr)}`;
  }
}

on(form('confirm'), 'submit', ({ code }) => finish({ code: code.value }));

async function finish(proof) {
  const path = '/api/second-factors/confirm/';
  const done = waiting
    ? await client.enter(path, { enrolment, ...proof, challenge: waiting.challenge })
    : await client.post(path, { enrolment, ...proof });
  [waiting, enrolment] = [null, null];
  // Recovery codes come with the first factor.
  if (!done.recovery_codes) return home();
  show('codes');
  list(element('codes').querySelector('ul'), done.recovery_codes);
}

on(element('kept'), 'click', () => {
  element('codes').querySelector('ul').replaceChildren();
  return home();
});

for (const button of document.querySelectorAll('.again')) on(button, 'click', begin);

attempt(begin);
