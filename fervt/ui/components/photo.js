// A photo with its faces: each is a button, labeled with its expression.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  root.say = (number) => setTriggerValue("clicked", number);
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  root.signature = signature;
  const photo = document.createElement("div");
  photo.className = data.small ? "photo small" : "photo";
  const image = document.createElement("img");
  Object.assign(image, { src: data.image, alt: data.alt });
  photo.append(image);
  for (const face of data.faces) {
    const box = document.createElement("button");
    box.className = face.chosen ? "face chosen" : "face";
    box.setAttribute("aria-label", face.about);
    box.setAttribute("aria-pressed", face.chosen);
    for (const side of ["left", "top", "width", "height"]) box.style[side] = `${face[side]}%`;
    box.style.transform = `rotate(${face.angle}deg)`;
    box.style.setProperty("--ink", face.color);
    box.onclick = () => root.say(face.number);
    if (face.label) {
      const tag = document.createElement("span");
      tag.className = face.top < 9 ? "tag below" : "tag";
      tag.textContent = face.label;
      box.append(tag);
    }
    photo.append(box);
  }
  const name = document.createElement("p");
  name.className = "name";
  name.textContent = data.name;
  root.replaceChildren(photo, name);
}
