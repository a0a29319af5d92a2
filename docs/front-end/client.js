// A client of Latchkey for browsers: logs in, calls the API, refreshes once for all tabs, and survives lost replies.
// It has no dependencies. Copy it and change it as you like; docs/front-end.md explains it.

const NAME = 'latchkey';
// Where a remembered browser stores its token, unless it is in a cookie.
const DEVICE = 'latchkey-device';
// Milliseconds before each attempt. All attempts fall within the minute in which the server repeats its answer.
const WAITS = [0, 1000, 3000, 9000];

/** The session has ended: the user has to log in again. */
export class LoggedOut extends Error {}

/** The server refused a request. `answer` is its JSON. */
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

  /** `cookie`: the refresh token is in a cookie (JWT_COOKIE=refresh); otherwise it is in localStorage. */
  constructor(server, { cookie = false } = {}) {
    this.#server = server;
    this.#cookie = cookie;
    // Access tokens stay in memory. A tab that gets one shares it with the others.
    this.#channel.onmessage = ({ data }) => stored() && this.#hold(data);
    addEventListener('storage', () => this.#hold(stored() && this.#access));
  }

  get isLoggedIn() {
    return stored() !== null;
  }

  /** If a second factor is needed, throws `Refused`, whose `answer` has a challenge: see docs/second-factors.md. */
  async login(username, password) {
    const device_token = localStorage.getItem(DEVICE) ?? undefined;
    return this.enter('/api/token/', { username, password, device_token });
  }

  /** Posts to an endpoint that answers with tokens, stores them, and returns the rest of the answer. */
  async enter(path, body) {
    return alone(async () => {
      const { access, refresh, device_token, ...rest } = await this.post(path, body);
      if (this.#cookie && refresh) throw new Error('The server sets no cookie: it needs JWT_COOKIE=refresh.');
      if (device_token) localStorage.setItem(DEVICE, device_token);
      this.#keep({ access, refresh });
      return rest;
    });
  }

  /** Posts without an access token, and returns the JSON answer. */
  async post(path, body) {
    const { status, answer } = await this.#post(path, body);
    if (status !== 200) throw new Refused({ status, answer });
    return answer;
  }

  /** `fetch` with an access token, refreshed if it has expired. `path` is a path on this server. */
  async fetch(path, init = {}) {
    return this.#authorized(async (access) => {
      const headers = new Headers(init.headers);
      headers.set('Authorization', `Bearer ${access}`);
      return fetch(this.#server + path, { ...init, headers });
    });
  }

  /** Ends the session, or with `all` every session of the user. Throws, still logged in, if there is no reply. */
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

  /** A new access token. If several tabs want one, only one fetches it. `stale` is the caller's old token. */
  async refresh(stale = this.#access) {
    return alone(async () => {
      if (this.#access !== null && this.#access !== stale) return this.#access; // another tab was faster
      for (let kept = stored(); kept; ) {
        const { status, answer } = await this.#insist(kept);
        if (status === 200) return this.#keep(answer, kept.key);
        if (status !== 401) throw new Refused({ status, answer });
        // If another tab has stored a newer token in the meantime, use that.
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

  /** Sends one refresh until it is answered. Because of the key, the server treats all attempts as one. */
  async #insist({ refresh, key }) {
    for (const wait of WAITS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        const reply = await this.#post('/api/token/refresh/', { refresh }, { 'Idempotency-Key': key });
        if (reply.status < 500) return reply;
      } catch {
        // The request or the reply was lost: we cannot tell which.
      }
    }
    throw new Error('The server does not answer.');
  }

  /** A thief may have used a refused token. Revoking it ends the session that the thief is in. */
  async #disown({ refresh }) {
    // Without locks, another tab may have used it.
    if (!refresh || !navigator.locks) return;
    await this.#post('/api/token/revoke/', { token: refresh }).catch(() => {});
  }

  async #authorized(send) {
    const access = this.#access ?? (await this.refresh());
    const reply = await send(access);
    return reply.status === 401 ? send(await this.refresh(access)) : reply;
  }

  /** Posts to a Latchkey endpoint. Only these requests send the cookie, and the header that asks for it. */
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
    // Without rotation, a refresh returns no refresh token: keep the old one. Scripts cannot see one in a cookie.
    refresh = this.#cookie ? undefined : (refresh ?? stored()?.refresh);
    // One key per refresh token, stored with it, so that it survives a reload and all tabs use the same one.
    const kept = JSON.stringify({ refresh, key: randomKey() });
    // Without locks, another tab may have been faster: what it stored is at least as new.
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

/** What all tabs share: `key`, and `refresh` unless it is in a cookie. `null` while nobody is logged in. */
function stored() {
  return JSON.parse(localStorage.getItem(NAME));
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Runs `work` in one tab at a time. Browsers have locks only on https and localhost; elsewhere the key must do. */
function alone(work) {
  return navigator.locks ? navigator.locks.request(NAME, work) : work();
}
