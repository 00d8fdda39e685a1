// A provider of OpenID Connect, and a browser that signs in through it.
//
// Usage: node sign-in.mjs; prints the provider's issuer, reads the product's origin from standard input, and prints one JSON object
// with what the browser saw at each step.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { Provider } from "oidc-provider";

const people = {
  ana: { email: "ana@example.org", email_verified: true, name: "Ana Alba", groups: ["Harbour", "Pilots"] },
  ben: { email: "ben@example.org", email_verified: false, name: "Ben Brook", groups: [] },
};

const http = createServer();
await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${http.address().port}`;
console.log(issuer);
const origin = await new Promise((read) => createInterface({ input: process.stdin }).once("line", read));

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "search",
      client_secret: "a secret of 32 characters or more",
      redirect_uris: [`${origin}/sign-in/openid/callback`],
    },
  ],
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, ...people[id] }),
  }),
  pkce: { required: () => true },
  ttl: { Session: 600, Grant: 600, AccessToken: 600, IdToken: 600, Interaction: 600 },
});
http.on("request", provider.callback());

/** A browser: it keeps cookies of each origin, and follows nobody by itself. */
class Browser {
  jars = new Map();

  async ask(url, form) {
    const address = new URL(url);
    const jar = this.jars.get(address.origin) ?? new Map();
    this.jars.set(address.origin, jar);
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") };
    if (form) headers.origin = address.origin;
    const body = form && new URLSearchParams(form);
    const answer = await fetch(url, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === "" || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    const to = answer.headers.get("location");
    return { status: answer.status, to: to && new URL(to, url).href, text: await answer.text(), url };
  }

  /** Goes on until somebody is to come back to the product; that address. */
  async signIn(url, name) {
    let seen = await this.ask(url);
    for (let steps = 0; steps < 20; steps += 1) {
      if (seen.to?.startsWith(`${origin}/sign-in/openid/callback`)) return seen.to;
      if (seen.to) {
        seen = await this.ask(seen.to);
        continue;
      }
      assert.equal(seen.status, 200, seen.text);
      const action = /<form[^>]*action="([^"]+)"/.exec(seen.text)[1];
      const prompt = /name="prompt" value="([^"]+)"/.exec(seen.text)[1];
      seen = await this.ask(new URL(action, seen.url).href, { prompt, login: name, password: "any" });
    }
    throw new Error("the provider leads nowhere");
  }
}

const begin = `${origin}/sign-in/openid?to=${encodeURIComponent("/search?q=tide")}`;
const seen = {};
const note = (name, { status, to, text }) => {
  seen[name] = { status, to: to?.replace(origin, ""), problem: /role="alert">([^<]*)</.exec(text)?.[1] };
};

// Ana signs in; her address at the product comes back with her session.
const hers = new Browser();
const back = await hers.signIn(begin, "ana");
const parameters = new URL(back).searchParams;
assert.equal(parameters.get("iss"), issuer);
note("signed in", await hers.ask(back));
note("page", await hers.ask(`${origin}/search?q=tide`));
// The same answer again: the browser has no attempt any more.
note("answer again", await hers.ask(back));
// Her code with another attempt of hers: the provider knows that it is spent.
const second = new URL((await hers.ask(begin)).to).searchParams.get("state");
const replayed = new URL(back);
replayed.searchParams.set("state", second);
note("code again", await hers.ask(replayed.href));

// Somebody sends her an answer that they got for themselves.
const theirs = new Browser();
const trap = await theirs.signIn(begin, "ben");
note("answer of another", await new Browser().ask(trap));
note("answer of another in the midst", await (async () => {
  const victim = new Browser();
  await victim.ask(begin);
  return victim.ask(trap);
})());
// Ben, whose address nobody verified, is nobody that the directory knows.
note("unknown", await theirs.ask(trap));

// The way back leads nowhere else.
const lured = new Browser();
const lure = await lured.signIn(`${origin}/sign-in/openid?to=${encodeURIComponent("//evil.example/")}`, "ana");
note("open redirect", await lured.ask(lure));

// She says no.
const refused = new Browser();
const wish = new URL((await refused.ask(begin)).to).searchParams;
const denied = new URLSearchParams({ state: wish.get("state"), iss: issuer, error: "access_denied" });
note("denied", await refused.ask(`${origin}/sign-in/openid/callback?${denied}`));

console.log(JSON.stringify(seen));
process.exit(0);
