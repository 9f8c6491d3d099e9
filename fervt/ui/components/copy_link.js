// Copies the page's address, which reproduces the view.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  let button = root.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.setAttribute("aria-live", "polite");
    root.append(button);
  }
  button.textContent = data.label;
  button.onclick = async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(window.location.href);
    } catch { // no clipboard outside HTTPS and localhost
      const field = document.createElement("textarea");
      field.value = window.location.href;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    button.textContent = done ? data.done : data.failed;
    setTimeout(() => { button.textContent = data.label; }, 2500);
  };
}
