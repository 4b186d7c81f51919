/** How far a spell reaches: a shell of thin lines around the player; where it meets the ground, the terrain's own shader draws its rim. */

import { BackSide, Mesh, ShaderMaterial, SphereGeometry } from 'three';

/** From its middle one sees the shell's inside. A line every fifteen degrees. */
const VERTEX = `varying vec3 way; void main() { way = position; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`;
const FRAGMENT = `
varying vec3 way;
float line(float turn) {
  float off = abs(fract(turn - .5) - .5), pixel = fwidth(turn);
  // Around the seam, and above the pole, a step is no width.
  return pixel > .5 ? 0. : 1. - smoothstep(.5 * pixel, 1.5 * pixel + .006, off);
}
void main() {
  vec3 to = normalize(way);
  float around = atan(to.z, to.x) * 12. / 3.14159265, up = asin(clamp(to.y, -1., 1.)) * 12. / 3.14159265;
  float grid = max(line(up), line(around) * (1. - abs(to.y)));
  gl_FragColor = vec4(.72, .90, 1., .05 + .30 * grid);
}`;

export function shell(): Mesh {
  const material = new ShaderMaterial({ vertexShader: VERTEX, fragmentShader: FRAGMENT, side: BackSide, transparent: true, depthWrite: false });
  const mesh = new Mesh(new SphereGeometry(1, 64, 32), material);
  mesh.visible = false;
  return mesh;
}
