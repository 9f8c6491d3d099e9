// Shows the reason why the browser has no camera for this page, if it has none.
(async () => {
  const show = (which) => {
    for (const one of document.querySelectorAll("[data-camera-trouble]"))
      one.hidden = one.dataset.cameraTrouble !== which;
  };
  if (!window.isSecureContext) return show("insecure");
  if (!navigator.mediaDevices?.getUserMedia) return show("unsupported");
  let permission = null;
  const look = async () => {
    if (permission?.state === "denied") return show("denied");
    const devices = await navigator.mediaDevices.enumerateDevices();
    show(devices.some((device) => device.kind === "videoinput") ? "" : "missing");
  };
  try {
    permission = await navigator.permissions.query({ name: "camera" });
    permission.onchange = look;
  } catch { /* some browsers know no such permission */ }
  navigator.mediaDevices.ondevicechange = look;
  await look();
})();
