// A login that may ask for a second factor, and a user who adds one. docs/second-factors.md explains it. Tokens are the
// business of the client that docs/front-end.md explains.

import { Client, LoggedOut, Refused } from '../front-end/client.js';
import { cookie, server } from './settings.js';

const client = new Client(server, { cookie });
const element = (id) => document.getElementById(id);
const form = (id) => element(id).querySelector('form');

let view = 'login'; // what is shown: the id of a section
let waiting = null; // the challenge of a login that waits, and how it can be answered
let own = null; // the challenge that another factor takes, of who is logged in
let shown = null; // its answer
let enrolment = null; // the factor that is being added

function show(id) {
  view = id;
  element('trouble').textContent = element('said').textContent = '';
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
  for (const field of document.querySelectorAll('input[name=password], input[name=code]')) field.value = '';
  // Who hears the page hears where they are.
  element(id).querySelector('h1').focus();
}

/** Does something that may go wrong, and says so then. */
async function attempt(act) {
  element('trouble').textContent = element('said').textContent = '';
  try {
    await act();
  } catch (error) {
    const { code, challenge, methods } = error.answer ?? {};
    if (code === 'second_factor_required') return askFactor((waiting = { challenge, methods }));
    if (code === 'second_factor_enrolment_required') return askKind((waiting = { challenge }));
    // The challenge is used up or too old: only the password brings another one.
    if (code === 'challenge_not_valid' || error instanceof LoggedOut) await begin();
    // What was shown for another factor was wrong: it is asked for again, with the same challenge.
    if (shown && view === 'add' && !error.answer?.password) askFactor(own);
    element('trouble').textContent = words(error);
    element(view).querySelector('input[name=code], input[name=password]')?.focus();
  }
}

function words(error) {
  if (error.name === 'NotAllowedError') return 'The browser got no answer from a passkey.';
  const { answer } = error;
  // Without a `detail` each field has a list of faults.
  return answer && !answer.detail ? Object.values(answer).flat().join(' ') : error.message;
}

const on = (target, event, act) =>
  target.addEventListener(event, (happened) => {
    happened.preventDefault();
    attempt(() => act(happened.target));
  });

function begin() {
  waiting = own = shown = enrolment = null;
  return client.isLoggedIn ? home() : show('login');
}

// A login or a logout, in this tab or in another one.
client.onchange = () => {
  const isBehind = client.isLoggedIn ? view === 'login' || (view === 'factor' && waiting) : !waiting && view !== 'login';
  if (isBehind) attempt(begin);
};

/** Calls the API as who is logged in. */
async function call(path, body) {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const reply = await client.fetch(path, body && json);
  const answer = await reply.json();
  if (!reply.ok) throw new Refused({ status: reply.status, answer });
  return answer;
}

// ---- Logging in ----

on(form('login'), 'submit', ({ username, password }) => client.login(username.value, password.value));

function askFactor({ methods }) {
  show('factor');
  element('remember').hidden = !waiting;
  const choices = [...form('factor').method];
  for (const radio of choices) radio.parentElement.hidden = !methods.includes(radio.value);
  // The page has the best one first.
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
  const { detail } = await client.post('/api/token/second-factor/email/', { challenge: (waiting ?? own).challenge });
  element('said').textContent = detail;
  form('factor').code.focus();
});

on(form('factor'), 'submit', async ({ method, code, remember }) => {
  const { challenge } = waiting ?? own;
  const proof = method.value === 'passkey' ? { credential: await usePasskey(challenge) } : { code: code.value };
  const answer = { challenge, method: method.value, ...proof };
  if (waiting) return client.enter('/api/token/second-factor/', { ...answer, remember: remember.checked });
  shown = answer;
  askKind();
});

async function usePasskey(challenge) {
  const { options } = await client.post('/api/token/second-factor/passkey/', { challenge });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

// ---- Logged in ----

let hasSome = false; // whether the user has a factor
const NAMES = { email: 'Codes by email', totp: 'Authenticator app', passkey: 'Passkey' };

async function home() {
  const [me, has] = await Promise.all([call('/api/me/'), call('/api/second-factors/')]);
  show('home');
  // The hidden field is for keepers of passwords.
  element('name').textContent = form('add').username.value = me.username;
  const texts = has.factors.map(({ kind, name }) => (name === NAMES[kind] ? name : `${NAMES[kind]}: ${name}`));
  if (texts.length) texts.push(`Recovery codes: ${has.recovery_codes} left`);
  hasSome = has.factors.length > 0;
  list(element('factors'), texts.length ? texts : ['None: your password is all that it takes.']);
}

function list(target, texts) {
  target.replaceChildren(...texts.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

on(element('logout'), 'click', () => client.logout());
on(element('adding'), 'click', async () => {
  // Another one takes one of those that the user has.
  if (!hasSome) return askKind();
  own = await call('/api/second-factors/challenge/', {});
  askFactor(own);
});

// ---- Adding a factor: when logged in with the password, in a login that has to wait for it with its challenge ----

function askKind() {
  show('add');
  form('add').kind.value = 'email';
  element('must').hidden = !waiting;
  element('own').hidden = form('add').password.disabled = Boolean(waiting);
}

on(form('add'), 'submit', async ({ kind, password }) => {
  const begun = waiting
    ? await client.post('/api/second-factors/', { kind: kind.value, challenge: waiting.challenge })
    : await call('/api/second-factors/', { kind: kind.value, password: password.value, ...shown });
  enrolment = begun.enrolment;
  if (kind.value === 'passkey') {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options.publicKey);
    return finish({ credential: (await navigator.credentials.create({ publicKey })).toJSON() });
  }
  show('confirm');
  element('mailed').hidden = kind.value !== 'email';
  element('app').hidden = kind.value !== 'totp';
  if (kind.value === 'totp') {
    element('secret').textContent = begun.secret;
    element('qr').src = `data:image/svg+xml,${encodeURIComponent(begun.qr)}`;
  }
});

on(form('confirm'), 'submit', ({ code }) => finish({ code: code.value }));

async function finish(proof) {
  const path = '/api/second-factors/confirm/';
  const done = waiting
    ? await client.enter(path, { enrolment, ...proof, challenge: waiting.challenge })
    : await client.post(path, { enrolment, ...proof });
  waiting = own = shown = enrolment = null;
  // They come with the first factor.
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
