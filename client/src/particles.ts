/** Sparks: a fixed number of points that are thrown, fall and fade; they glow, or look like a picture. */

import { AdditiveBlending, BufferAttribute, BufferGeometry, Color, NormalBlending, Points, ShaderMaterial, Texture } from 'three';
import type { Burst } from './stage';
import type { Vec3 } from './vec';

const VERTEX = `
attribute vec4 glow; // color, and how much of it is left
attribute float size;
uniform float widest;
varying vec4 shine;
void main() {
  shine = glow;
  vec4 seen = modelViewMatrix * vec4(position, 1.0);
  gl_Position = projectionMatrix * seen;
  gl_PointSize = glow.a <= 0.0 ? 0.0 : clamp(600.0 * size / -seen.z, 1.0, widest);
}`;

const GLOWING = `
varying vec4 shine;
void main() {
  float away = length(gl_PointCoord - 0.5) * 2.0;
  gl_FragColor = vec4(shine.rgb, shine.a * smoothstep(1.0, 0.2, away));
}`;

const PICTURED = `
uniform sampler2D look;
varying vec4 shine;
void main() {
  vec4 seen = texture2D(look, gl_PointCoord);
  gl_FragColor = vec4(seen.rgb * shine.rgb, seen.a * shine.a);
}`;

/** Pixels that a point is wide at most: what glows is a spark, a picture is to be recognised. */
const WIDEST = { glowing: 40, pictured: 120 };

interface Spark {
  velocity: Vec3;
  gravity: number;
  left: number;
  seconds: number;
}

export class Particles {
  readonly points: Points;
  private readonly position: BufferAttribute;
  private readonly glow: BufferAttribute;
  private readonly size: BufferAttribute;
  private readonly sparks: Spark[];
  private readonly look: Texture | null;
  private next = 0;

  /** So many at once; the oldest give way. */
  constructor(private readonly most: number, image: ImageBitmap | null = null) {
    this.position = new BufferAttribute(new Float32Array(3 * most), 3);
    this.glow = new BufferAttribute(new Float32Array(4 * most), 4);
    this.size = new BufferAttribute(new Float32Array(most), 1);
    this.sparks = Array.from({ length: most }, () => ({ velocity: [0, 0, 0], gravity: 0, left: 0, seconds: 1 }));
    this.look = image && new Texture(image);
    if (this.look) this.look.needsUpdate = true;
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', this.position);
    geometry.setAttribute('glow', this.glow);
    geometry.setAttribute('size', this.size);
    const material = new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: image ? PICTURED : GLOWING, transparent: true, depthWrite: false, blending: image ? NormalBlending : AdditiveBlending,
      uniforms: { look: { value: this.look }, widest: { value: image ? WIDEST.pictured : WIDEST.glowing } },
    });
    this.points = new Points(geometry, material);
    this.points.frustumCulled = false;
  }

  burst({ at, count, color: hex, speed, seconds, size, gravity }: Burst): void {
    const color = new Color(hex);
    for (let n = 0; n < count; n++) {
      const i = this.next;
      this.next = (this.next + 1) % this.most;
      const spark = this.sparks[i];
      if (!spark) continue;
      const fast = speed * (0.3 + 0.7 * Math.random());
      spark.velocity = direction().map((axis) => axis * fast) as Vec3;
      spark.gravity = gravity;
      spark.left = spark.seconds = seconds * (0.5 + 0.5 * Math.random());
      this.position.setXYZ(i, ...at);
      this.glow.setXYZW(i, color.r, color.g, color.b, 1);
      this.size.setX(i, size);
    }
  }

  dispose(): void {
    this.points.geometry.dispose();
    (this.points.material as ShaderMaterial).dispose();
    this.look?.dispose();
  }

  advance(seconds: number): void {
    this.sparks.forEach((spark, i) => {
      if (spark.left <= 0) return;
      spark.left -= seconds;
      spark.velocity[1] -= spark.gravity * seconds;
      const [x, y, z] = spark.velocity;
      this.position.setXYZ(i, this.position.getX(i) + x * seconds, this.position.getY(i) + y * seconds, this.position.getZ(i) + z * seconds);
      this.glow.setW(i, Math.max(0, spark.left / spark.seconds));
    });
    for (const attribute of [this.position, this.glow, this.size]) attribute.needsUpdate = true;
  }
}

/** Any, all alike. */
function direction(): Vec3 {
  const y = 2 * Math.random() - 1;
  const around = 2 * Math.PI * Math.random();
  const flat = Math.sqrt(1 - y * y);
  return [flat * Math.cos(around), y, flat * Math.sin(around)];
}
