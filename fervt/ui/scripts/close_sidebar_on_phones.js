// Streamlit closes its sidebar on a phone after a click in its own navigation; ours must, too.
window.fervtClosesSidebar ??= document.addEventListener("click", (event) => {
  const link = event.target.closest('[data-testid="stSidebar"] [data-testid="stPageLink"] a');
  if (link && window.innerWidth < 768)
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}) ?? true;
