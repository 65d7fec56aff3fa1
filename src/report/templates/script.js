// Comforts only: nothing on the page needs them.
for (const latex of document.querySelectorAll(".latex pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + latex.getAttribute("aria-label"));
  button.addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(latex);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
    button.textContent = "Copied";
  });
  latex.before(button);
}
// Folded tables are printed; LaTeX is not.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details.table:not([open])")];
  folded.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)));
