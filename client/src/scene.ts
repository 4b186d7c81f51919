/** The picture: sky, ground, everybody, and sparks. It draws what it is given and decides nothing; painter.ts runs it, off the page's own thread. */

import {
  AmbientLight, BackSide, Color, ColorManagement, DirectionalLight, HemisphereLight, LinearSRGBColorSpace, Mesh, MeshBasicMaterial,
  PerspectiveCamera, RingGeometry, Scene, ShaderMaterial, SphereGeometry, Vector3, WebGLRenderer,
} from 'three';
import { Figure, fromCharacter } from './figures';
import type { Other } from './interpolation';
import { EYE_HEIGHT_M, PARTICLES_MAX, SPRITE_PARTICLES_MAX } from './limits';
import { Numbers } from './numbers';
import { Particles } from './particles';
import { Kind } from './protocol';
import { shell } from './reach';
import { Sharpness } from './sharpness';
import type { Burst, Frame, Hit } from './stage';
import { Terrain } from './terrain';

// Colors are those of the screen, in our own shaders as in three's: none is converted.
ColorManagement.enabled = false;

const HORIZON = new Color(0xb9cfe4);
const ZENITH = new Color(0x4f86c6);
const SUN = new Vector3(0.45, 0.8, 0.35).normalize();
/** A corner of a voxel that is exactly beside the eye has no place on the screen, and software renderers put it anywhere. */
const OFF_THE_GRID_M = 0.0013;
/** Nearer than this a shot is not drawn. */
const SHOT_SEEN_FROM_M = 2.5;
/** A shot leaves a spark behind so often, seconds. */
const TRAIL_SECONDS = 0.03;
/** A character whose surface is nearer than this to the eye would be seen from inside: two who come in stand in one place. */
const CHARACTER_SEEN_FROM_M = 0.3;
/** The mark on what is aimed at: as a rule, for a spell that is about to be cast, and for one that does not reach so far. */
const MARK = { plain: 0xffffff, within: 0x6dff9e, beyond: 0xff5c4d };
/** The mark of a spell is as wide as if it lay so near, metres. */
const MARK_SEEN_M = 9;

export class Picture {
  readonly terrain = new Terrain(HORIZON, SUN);
  private readonly sharpness = new Sharpness();
  private readonly numbers = new Numbers();
  private readonly glowing = new Particles(PARTICLES_MAX);
  /** By key, those that look like a spell's picture. */
  private readonly sprites = new Map<string, Particles>();
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(75, 1, 0.05, 600);
  private readonly figures = new Map<number, Figure>();
  private readonly markColor = new MeshBasicMaterial({ color: MARK.plain, transparent: true, opacity: 0.55, depthWrite: false });
  private readonly mark = new Mesh(new RingGeometry(0.32, 0.42, 28), this.markColor);
  private readonly shell = shell();
  private readonly sky: Mesh;
  private trailSeconds = 0;

  constructor(private readonly canvas: OffscreenCanvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: 'high-performance' });
    this.renderer.outputColorSpace = LinearSRGBColorSpace;
    this.sky = sky();
    const light = new DirectionalLight(0xfff0d6, 2.4);
    light.position.copy(SUN).multiplyScalar(50);
    this.scene.add(this.sky, this.terrain.group, this.glowing.points, this.numbers.group, this.mark, this.shell, light);
    this.scene.add(new HemisphereLight(0xdfeaf8, 0x8f8a80, 2.2), new AmbientLight(0xffffff, 0.6));
    this.camera.rotation.order = 'YXZ';
  }

  begin(): void {
    this.terrain.clear();
    for (const id of [...this.figures.keys()]) this.remove(id);
  }

  burst(burst: Burst): void {
    (this.sprites.get(burst.sprite ?? '') ?? this.glowing).burst(burst);
  }

  sprite(key: string, image: ImageBitmap | null): void {
    const old = this.sprites.get(key);
    if (old) {
      this.scene.remove(old.points);
      old.dispose();
      this.sprites.delete(key);
    }
    if (!image) return;
    const fresh = new Particles(SPRITE_PARTICLES_MAX, image);
    this.sprites.set(key, fresh);
    this.scene.add(fresh.points);
  }

  hit(hit: Hit): void {
    this.numbers.rise(hit);
  }

  draw(frame: Frame, seconds: number): void {
    this.fit(frame, seconds);
    this.look(frame);
    this.terrain.see(this.camera.position, frame.viewM);
    this.show(frame);
    this.aim(frame);
    this.trail(seconds, frame.others);
    for (const particles of [this.glowing, ...this.sprites.values()]) particles.advance(seconds);
    this.numbers.advance(seconds);
    this.renderer.render(this.scene, this.camera);
  }

  private look({ position: [x, y, z], yaw, pitch }: Frame): void {
    this.camera.position.set(x + OFF_THE_GRID_M, y + EYE_HEIGHT_M, z + OFF_THE_GRID_M);
    this.camera.rotation.set(pitch, yaw, 0);
    this.sky.position.copy(this.camera.position);
  }

  /** The mark on what is aimed at, and how far a spell reaches that is about to be cast. */
  private aim({ aim, reach, position }: Frame): void {
    this.mark.visible = aim !== null;
    if (aim) this.mark.position.set(aim[0], aim[1] + 0.03, aim[2]);
    // On the ground as a rule; that of a spell faces the eye, before whatever stands there.
    if (reach) this.mark.quaternion.copy(this.camera.quaternion);
    else this.mark.rotation.set(-Math.PI / 2, 0, 0);
    this.markColor.depthTest = reach === null;
    this.mark.scale.setScalar(reach ? Math.max(1, this.mark.position.distanceTo(this.camera.position) / MARK_SEEN_M) : 1);
    this.markColor.color.setHex(!reach ? MARK.plain : reach.within ? MARK.within : MARK.beyond);
    this.markColor.opacity = reach ? 0.9 : 0.55;
    this.shell.visible = reach !== null;
    this.shell.position.set(...position);
    this.shell.scale.setScalar(reach?.radius ?? 1);
    this.terrain.reach.set(...position, reach?.radius ?? 0);
  }

  private show({ others, viewM }: Frame): void {
    const seen = new Set(others.map((other) => other.id));
    for (const id of [...this.figures.keys()]) if (!seen.has(id)) this.remove(id);
    for (const other of others) {
      let figure = this.figures.get(other.id);
      if (!figure) {
        figure = new Figure(other);
        this.figures.set(other.id, figure);
        this.scene.add(figure.object);
      }
      figure.show(other);
      figure.object.visible = this.isInFront(other.kind, figure) && flat(figure.object.position, this.camera.position) < viewM;
    }
  }

  /** What is too near is not drawn: it would be all that one sees. */
  private isInFront(kind: Kind, { object }: Figure): boolean {
    if (kind === Kind.Projectile) return object.position.distanceTo(this.camera.position) > SHOT_SEEN_FROM_M;
    if (kind === Kind.Player || kind === Kind.Npc) return fromCharacter(object.position, this.camera.position) > CHARACTER_SEEN_FROM_M;
    return true;
  }

  private fit({ width, height, pixelRatio, sharp }: Frame, seconds: number): void {
    const ratio = this.sharpness.note(seconds, pixelRatio, sharp);
    if (this.canvas.width === Math.floor(width * ratio) && this.canvas.height === Math.floor(height * ratio)) return;
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / Math.max(1, height);
    this.camera.updateProjectionMatrix();
  }

  private trail(seconds: number, others: Other[]): void {
    this.trailSeconds += seconds;
    if (this.trailSeconds < TRAIL_SECONDS) return;
    this.trailSeconds = 0;
    for (const other of others) {
      if (other.kind === Kind.Projectile) this.burst({ at: other.position, count: 2, color: 0xff9a4d, speed: 0.6, seconds: 0.35, size: 0.12, gravity: 0 });
    }
  }

  private remove(id: number): void {
    const figure = this.figures.get(id);
    if (!figure) return;
    this.scene.remove(figure.object);
    figure.dispose();
    this.figures.delete(id);
  }
}

/** As fog has it: whatever the height. */
function flat(one: Vector3, other: Vector3): number {
  return Math.hypot(one.x - other.x, one.z - other.z);
}

function sky(): Mesh {
  const material = new ShaderMaterial({
    side: BackSide,
    depthWrite: false,
    uniforms: { horizon: { value: HORIZON }, zenith: { value: ZENITH }, sun: { value: SUN } },
    vertexShader: `varying vec3 way; void main() { way = position; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`,
    fragmentShader: `
      uniform vec3 horizon, zenith, sun; varying vec3 way;
      void main() {
        vec3 to = normalize(way);
        float toward = max(dot(to, sun), 0.0);
        vec3 color = mix(horizon, zenith, pow(clamp(to.y, 0.0, 1.0), 0.6));
        color += vec3(1.0, 0.85, 0.6) * (0.25 * pow(toward, 24.0) + smoothstep(0.9985, 0.9995, toward));
        gl_FragColor = vec4(color, 1.0);
      }`,
  });
  const dome = new Mesh(new SphereGeometry(500, 24, 12), material);
  dome.renderOrder = -1;
  return dome;
}
