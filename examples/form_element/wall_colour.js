const look = new CSSStyleSheet();
look.replaceSync(`
  p { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; font-weight: 600; }
  input { width: 8rem; height: 4rem; padding: 2px; background: none; border: 1px solid var(--line); border-radius: var(--radius); }
  button { font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--muted); border-radius: 6px; padding: .5rem 1rem; }
`);

const WORDS = {
  en: { colour: "Colour of the wall:", white: "It is white" },
  ko: { colour: "벽의 색:", white: "흰색입니다" },
};

class WallColour extends HTMLElement {
  connectedCallback() {
    const words = WORDS[this.task.language];
    const input = Object.assign(document.createElement("input"), { type: "color", disabled: this.readonly });
    input.value = this.value?.colour ?? "#ffffff";
    input.addEventListener("input", () => this.change(input.value));

    const white = Object.assign(document.createElement("button"), { textContent: words.white, disabled: this.readonly });
    white.addEventListener("click", () => {
      this.change("#ffffff");
      this.dispatchEvent(new CustomEvent("wai-submit"));
    });

    const label = document.createElement("label");
    label.append(`${words.colour} ${this.task.params.room} `, input);
    const line = document.createElement("p");
    line.append(label, white);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [look];
    root.append(line);
  }

  change(colour) {
    this.dispatchEvent(new CustomEvent("wai-change", { detail: { colour } }));
  }
}

customElements.define("wall-colour", WallColour);
