/**
 * The page behind `troop login`: plain HTML over the routes under /auth. It writes text, never markup, so that no name
 * of a machine becomes part of the page. Paths are relative: a coordinator may live below a prefix.
 */
export function accountPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Monkey Troop: account</title>
<style nonce="${nonce}">
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
  label, input { display: block; width: 100%; box-sizing: border-box; margin: .3rem 0; font: inherit; }
  button { font: inherit; margin: .3rem .3rem .3rem 0; }
  #code { font-family: ui-monospace, monospace; letter-spacing: .1em; text-transform: uppercase; }
  [hidden] { display: none; }
</style>
<h1>Monkey Troop</h1>
<p id="said" role="status"></p>
<form id="login" hidden>
  <label>Email <input id="email" type="email" autocomplete="username" required></label>
  <label>Password, of 12 characters or more <input id="password" type="password" autocomplete="current-password" required></label>
  <label>Invite, to register where one is asked for <input id="invite" autocomplete="off"></label>
  <button name="login">Log in</button> <button name="register">Register</button>
</form>
<section id="account" hidden>
  <p>Logged in as <b id="who"></b>. <button id="logout">Log out</button></p>
  <form id="find">
    <label>Code that the machine shows <input id="code" autocomplete="off" required></label>
    <button>Continue</button>
  </form>
  <form id="decide" hidden>
    <p>Link <b id="machine"></b> to your account? It asked at <span id="when"></span>. It will spend your credits and earn
    for you. Say yes only if you ran <code>troop login</code> on it just now.</p>
    <button name="yes">Yes, it is mine</button> <button name="no">No</button>
  </form>
  <h2>Machines</h2>
  <ul id="peers"></ul>
  <h2>Your data</h2>
  <p><a href="auth/export" download>Download all that is kept about you</a></p>
  <form id="leave">
    <label>Password, to delete the account <input id="again" type="password" autocomplete="current-password" required></label>
    <button>Delete the account and its credits</button>
  </form>
</section>
<script nonce="${nonce}">
  const at = (id) => document.getElementById(id);
  const say = (text) => { at("said").textContent = text; };
  const show = (id, isShown) => { at(id).hidden = !isShown; };
  async function ask(path, body) {
    const answer = await fetch("auth/" + path, body === undefined ? {} : {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const said = answer.status === 204 ? {} : await answer.json();
    const check = said.fields && "Check: " + said.fields.join(", ") + ".";
    if (!answer.ok) throw Object.assign(new Error([said.title, said.detail, check].filter(Boolean).join(" ")), said);
    return said;
  }
  const on = (id, event, run) => at(id).addEventListener(event, async (given) => {
    given.preventDefault();
    try { await run(given); } catch (error) { say(error.message); }
  });
  async function refresh() {
    let me;
    try { me = await ask("me"); } catch (error) { if (error.code !== "session_missing") throw error; }
    show("login", me === undefined);
    show("account", me !== undefined);
    if (me === undefined) return;
    at("who").textContent = me.email;
    const { peers } = await ask("peers");
    at("peers").replaceChildren(...peers.map((peer) => {
      const item = document.createElement("li");
      const used = new Date(peer.last_used_at).toLocaleString();
      item.textContent = (peer.name ?? peer.peer_id.slice(0, 12)) + (peer.live ? ", lends now" : "") + ", last used " + used + " ";
      const button = document.createElement("button");
      button.textContent = "Sign out";
      button.addEventListener("click", async () => {
        try { await ask("peers/" + peer.peer_id + "/revoke", {}); await refresh(); } catch (error) { say(error.message); }
      });
      item.append(button);
      return item;
    }));
  }
  on("login", "submit", async ({ submitter }) => {
    await ask(submitter.name, { email: at("email").value, password: at("password").value,
      ...(submitter.name === "register" && at("invite").value !== "" && { invite: at("invite").value.trim() }) });
    at("password").value = "";
    say("");
    await refresh();
  });
  on("logout", "click", async () => { await ask("logout", {}); await refresh(); });
  on("leave", "submit", async () => {
    await ask("delete", { password: at("again").value });
    at("again").value = "";
    say("The account is gone.");
    await refresh();
  });
  // What is decided on is what was shown, whatever is typed in since.
  let asked = "";
  on("find", "submit", async () => {
    asked = at("code").value;
    const found = await ask("device/find", { user_code: asked });
    at("machine").textContent = found.name ?? found.peer_id.slice(0, 12);
    at("when").textContent = new Date(found.requested_at).toLocaleString();
    show("decide", true);
    say("");
  });
  on("decide", "submit", async ({ submitter }) => {
    await ask("device/decide", { user_code: asked, approve: submitter.name === "yes" });
    show("decide", false);
    at("code").value = "";
    say(submitter.name === "yes" ? "Done: the machine goes on by itself." : "Refused.");
    await refresh();
  });
  at("code").value = location.hash.slice(1);
  refresh().catch((error) => say(error.message));
</script>
</html>
`;
}
