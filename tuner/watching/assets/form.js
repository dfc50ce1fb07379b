/* The form of a watched page by which somebody adds a configuration to a search, or changes its max_trials.

What can be chosen, and whether it makes sense, the server says each time something was chosen. */
"use strict";
function liveForm({ make, say, post }) {
  const models = make("select", { id: "live-model", onchange: () => choose({}) });
  const model = make("label", { class: "choice" }, "Of ", models);
  const fields = make("div", { class: "live-fields" });
  const adding = make("button", { type: "button", class: "quiet-button", id: "live-add", onclick: add }, "Add this configuration");
  const added = make("span", { class: "quiet", role: "status", id: "live-add-answer" });
  const most = make("input", { type: "number", id: "live-most", min: "1", step: "1" });
  const changing = make("button", { type: "button", class: "quiet-button", id: "live-change", onclick: change }, "Change max_trials");
  const changed = make("span", { class: "quiet", role: "status", id: "live-change-answer" });
  const element = make("details", { class: "live-form", ontoggle: () => element.open && !fields.childElementCount && choose({}) },
    make("summary", {}, "Add a configuration, or change max_trials"),
    model, fields, make("div", { class: "controls" }, adding, added),
    make("div", { class: "controls" }, make("label", { class: "choice" }, "max_trials ", most), changing, changed));
  let values = {};
  let number = 0;  // of what was asked of the server, so that a late answer changes nothing
  let entries = [];
  let runs = false;

  /** Ask which fields there are beside these values, and show them. */
  async function choose(now) {
    if (!models.value) return;
    const mine = ++number;
    const reply = await post("form", { what: "add", model: models.value, values: now });
    if (mine !== number) return;
    if (!reply.ok) {
      say(added, reply.text);
      return;
    }
    const form = JSON.parse(reply.text);
    values = form.values;
    const names = form.fields.map(({ name }) => name).join(" ");
    if (fields.dataset.holds !== `${models.value} ${names}`) {
      const focused = document.activeElement?.dataset?.name;
      fields.dataset.holds = `${models.value} ${names}`;
      fields.replaceChildren(...form.fields.map(fieldOf));
      if (focused) fields.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
    }
    say(added, form.problem);
    added.classList.toggle("bad", Boolean(form.problem));
    adding.disabled = !runs || Boolean(form.problem);
  }
  function fieldOf(field) {
    const { name, about } = field;
    const set = (value) => choose({ ...values, [name]: value });
    let input;
    if (field.choices) {
      input = make("select", { onchange: () => set(field.choices[input.selectedIndex][0]) },
        ...field.choices.map(([, called]) => make("option", {}, called)));
      input.selectedIndex = field.choices.findIndex(([value]) => value === values[name]);
    } else {
      input = make("input", { type: "number", min: field.low, max: field.high, step: field.whole ? field.step : "any", onchange: () => set(input.value === "" ? "" : Number(input.value)) });
      input.value = String(values[name]);
    }
    input.dataset.name = name;
    return make("label", { class: "choice", title: about }, `${name} `, input);
  }
  const granted = "Asked; the run decides within a second.";
  async function add() {
    say(added, "Asked …");
    const reply = await post("ask", { what: "add", model: models.value, values });
    say(added, reply.ok ? granted : `Not taken: ${reply.text}`);
    added.classList.toggle("bad", !reply.ok);
  }
  async function change() {
    say(changed, "Asked …");
    const reply = await post("ask", { what: "max_trials", model: models.value, max_trials: Number(most.value) });
    say(changed, reply.ok ? granted : `Not taken: ${reply.text}`);
    changed.classList.toggle("bad", !reply.ok);
  }

  /** Take how the search stands. */
  function tell(state) {
    runs = state.what === "running";
    const before = JSON.stringify(entries);
    entries = state.searches;
    adding.disabled = !runs || added.classList.contains("bad");
    if (JSON.stringify(entries) !== before) {
      const chosen = models.value;
      models.replaceChildren(...entries.map(({ model, label }) => make("option", { value: model }, label)));
      if (entries.some(({ model }) => model === chosen)) models.value = chosen;
      model.hidden = entries.length < 2;
      tellNumber();
    }
    changing.disabled = !runs || most.disabled;
  }
  function tellNumber() {
    const entry = entries.find(({ model }) => model === models.value);
    most.disabled = !entry || Boolean(entry.none);
    most.value = entry?.max_trials ?? "";
    changing.disabled = !runs || most.disabled;
    changed.classList.remove("bad");
    say(changed, entry?.none ?? "");
  }
  models.addEventListener("change", tellNumber);
  return { element, tell };
}
