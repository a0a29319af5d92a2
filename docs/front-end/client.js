// A client of Latchkey for browsers: logs in, calls the API, refreshes once for all tabs, and survives lost replies.
// It needs nothing. Copy it and change what you like; docs/front-end.md explains it.

const NAME = 'latchkey';
// Where a browser that is remembered has its token, if no cookie has it.
const DEVICE = 'latchkey-device';
// Milliseconds before each attempt: all of them lie within the minute in which the server repeats its answer.
const WAITS = [0, 1000, 3000, 9000];

/** The session has ended: the user has to log in again. */
export class LoggedOut extends Error {}

/** The server said no to something else. `answer` is its JSON. */
export class Refused extends Error {
  constructor({ status, answer }) {
    super(answer.detail ?? `${status} ${JSON.stringify(answer)}`);
    Object.assign(this, { status, answer });
  }
}

export class Client {
  /** Called in every tab after a login, a refresh and a logout in any of them. */
  onchange = () => {};
  #server;
  #cookie;
  #access = null;
  #channel = new BroadcastChannel(NAME);

  /** `cookie`: the server keeps the refresh token in a cookie (JWT_COOKIE=refresh); otherwise localStorage has it. */
  constructor(server, { cookie = false } = {}) {
    this.#server = server;
    this.#cookie = cookie;
    // Access tokens stay in memory. Whichever tab gets one gives it to the others.
    this.#channel.onmessage = ({ data }) => stored() && this.#hold(data);
    addEventListener('storage', () => this.#hold(stored() && this.#access));
  }

  get isLoggedIn() {
    return stored() !== null;
  }

  /** Where a second factor is due it throws `Refused`, whose `answer` has a challenge: docs/second-factors.md goes on. */
  async login(username, password) {
    const device_token = localStorage.getItem(DEVICE) ?? undefined;
    return this.enter('/api/token/', { username, password, device_token });
  }

  /** Posts what is answered with tokens, keeps them, and answers what came with them. */
  async enter(path, body) {
    return alone(async () => {
      const { access, refresh, device_token, ...rest } = await this.post(path, body);
      if (this.#cookie && refresh) throw new Error('The server sets no cookie: it needs JWT_COOKIE=refresh.');
      if (device_token) localStorage.setItem(DEVICE, device_token);
      this.#keep({ access, refresh });
      return rest;
    });
  }

  /** Posts without an access token, and answers JSON. */
  async post(path, body) {
    const { status, answer } = await this.#post(path, body);
    if (status !== 200) throw new Refused({ status, answer });
    return answer;
  }

  /** `fetch` with an access token; with a new one where the old one has expired. `path` is one of this server. */
  async fetch(path, init = {}) {
    return this.#authorized(async (access) => {
      const headers = new Headers(init.headers);
      headers.set('Authorization', `Bearer ${access}`);
      return fetch(this.#server + path, { ...init, headers });
    });
  }

  /** Ends the session, or with `all` every session of the user. Throws, and forgets nothing, if nobody answers. */
  async logout({ all = false } = {}) {
    try {
      await this.#authorized((access) => {
        const body = { refresh_token: stored()?.refresh, all };
        return this.#post('/api/logout/', body, { Authorization: `Bearer ${access}` });
      });
    } catch (error) {
      if (!(error instanceof LoggedOut)) throw error;
    }
    this.#forget();
  }

  /** A new access token. Of all tabs that want one, one fetches it; `stale` is what the caller had before. */
  async refresh(stale = this.#access) {
    return alone(async () => {
      if (this.#access !== null && this.#access !== stale) return this.#access; // another tab was faster
      for (let kept = stored(); kept; ) {
        const { status, answer } = await this.#insist(kept);
        if (status === 200) return this.#keep(answer, kept.key);
        if (status !== 401) throw new Refused({ status, answer });
        // Has another tab stored something newer meanwhile? Then that is what counts.
        const newer = stored();
        if (newer?.key === kept.key) {
          await this.#disown(kept);
          break;
        }
        kept = newer;
      }
      this.#forget();
      throw new LoggedOut('The session has ended.');
    });
  }

  /** Sends one refresh until it is answered. Under its key the server takes all attempts for one. */
  async #insist({ refresh, key }) {
    for (const wait of WAITS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        const reply = await this.#post('/api/token/refresh/', { refresh }, { 'Idempotency-Key': key });
        if (reply.status < 500) return reply;
      } catch {
        // Lost on the way there, or on the way back: nobody knows.
      }
    }
    throw new Error('The server does not answer.');
  }

  /** A token that is refused may have been used by a thief. Then this ends what the thief got for it. */
  async #disown({ refresh }) {
    // Without locks it may have been another tab.
    if (!refresh || !navigator.locks) return;
    await this.#post('/api/token/revoke/', { token: refresh }).catch(() => {});
  }

  async #authorized(send) {
    const access = this.#access ?? (await this.refresh());
    const reply = await send(access);
    return reply.status === 401 ? send(await this.refresh(access)) : reply;
  }

  /** To an endpoint of Latchkey. Only these get the cookie, and the header that asks for it. */
  async #post(path, body, headers = {}) {
    const cookie = this.#cookie ? { 'X-Refresh-Cookie': '1' } : {};
    const reply = await fetch(this.#server + path, {
      method: 'POST',
      credentials: this.#cookie ? 'include' : 'omit',
      headers: { 'Content-Type': 'application/json', ...cookie, ...headers },
      body: JSON.stringify(body),
    });
    return { status: reply.status, answer: await reply.json() };
  }

  #keep({ access, refresh }, replaces = stored()?.key) {
    // Without rotation a refresh brings no refresh token: the old one stays. And the cookie is not ours to see.
    refresh = this.#cookie ? undefined : (refresh ?? stored()?.refresh);
    // One key for each refresh token, beside it: so it outlives a reload, and all tabs use the same.
    const kept = JSON.stringify({ refresh, key: randomKey() });
    // Where there are no locks another tab may have been faster: then what it stored is at least as new.
    if (stored()?.key === replaces) localStorage.setItem(NAME, kept);
    this.#channel.postMessage(access);
    this.#hold(access);
    return access;
  }

  #forget() {
    localStorage.removeItem(NAME);
    this.#hold(null);
  }

  #hold(access) {
    this.#access = access;
    this.onchange();
  }
}

/** What all tabs share: `key`, and `refresh` unless a cookie has it. `null` while nobody is logged in. */
function stored() {
  return JSON.parse(localStorage.getItem(NAME));
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Runs `work` in one tab at a time. Browsers have locks only on https and localhost; the key covers for them. */
function alone(work) {
  return navigator.locks ? navigator.locks.request(NAME, work) : work();
}
