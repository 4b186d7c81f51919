/** Terrain on the screen: one mesh a chunk, eight bytes a vertex; materials and light are made in the shader. */

import {
  BufferGeometry, BufferAttribute, DoubleSide, GLSL3, Group, InterleavedBuffer, InterleavedBufferAttribute, Mesh, RawShaderMaterial, Sphere,
  Vector3, Vector4, type Color,
} from 'three';
import { CHUNK_EDGE_M } from './limits';
import type { Made } from './mesher';
import type { Vec3 } from './vec';

const VERTEX_BYTES = 8;
const QUAD_VERTICES = 4;
const QUAD_INDICES = [0, 1, 2, 0, 2, 3];

const VERTEX = `
in vec4 place; // x, y, z in the chunk, and which face
in vec4 look;  // material, light
uniform mat4 modelMatrix, viewMatrix, projectionMatrix;
out vec3 world;
out vec3 normal;
out float light;
flat out int material;
const vec3 NORMALS[6] = vec3[](vec3(-1,0,0), vec3(1,0,0), vec3(0,-1,0), vec3(0,1,0), vec3(0,0,-1), vec3(0,0,1));
void main() {
  normal = NORMALS[int(place.w)];
  material = int(look.x);
  light = look.y / 3.0;
  vec4 at = modelMatrix * vec4(place.xyz, 1.0);
  world = at.xyz;
  gl_Position = projectionMatrix * viewMatrix * at;
}`;

const FRAGMENT = `
precision highp float;
in vec3 world;
in vec3 normal;
in float light;
flat in int material;
uniform vec3 cameraPosition, fogColor, sun;
uniform float fogFar, opacity;
uniform vec4 reach; // middle and radius of a sphere; without one the radius is 0
out vec4 color;
// stone, dirt, grass, sand, wood, glass, ice, lamp, bedrock; 0 is air, which has no face.
const vec3 COLORS[10] = vec3[](vec3(1,0,1), vec3(.47,.49,.53), vec3(.50,.37,.26), vec3(.36,.56,.25), vec3(.80,.72,.50),
  vec3(.52,.36,.20), vec3(.70,.86,.90), vec3(.62,.80,.95), vec3(1.,.86,.55), vec3(.20,.19,.22));
float hash(vec3 p) {
  p = fract(p * vec3(.1031, .11369, .13787));
  p += dot(p, p.yzx + 19.19);
  return fract((p.x + p.y) * p.z);
}
void main() {
  vec3 inside = world - normal * .5;
  vec3 voxel = floor(inside + .001);
  int drawn = material;
  // Grass grows on top; below its fringe one sees the earth.
  float depth = voxel.y + 1. - world.y;
  if (material == 3 && (normal.y < 0. || normal.y == 0. && depth > .12 + .22 * hash(floor(world * 6.)))) drawn = 2;
  vec3 base = COLORS[clamp(drawn, 0, 9)];
  float grain = hash(floor((world + normal * .01) * 8.) + 7.) - .5;
  base *= 1. + .10 * (hash(voxel) - .5) + .10 * grain;
  if (drawn == 5) base *= .88 + .12 * step(.18, fract(world.y * 4. + .1 * hash(voxel)));
  // The edges of voxels, as far as a pixel is not wider than they are.
  vec3 near = abs(fract(world + .5) - .5) + abs(normal);
  float edge = min(near.x, min(near.y, near.z)), pixel = fwidth(edge) + .0001;
  base *= 1. - .16 * (1. - smoothstep(.0, .035, edge)) * clamp(.05 / pixel - .3, 0., 1.);
  float day = max(dot(normal, sun), 0.);
  vec3 shine = vec3(.60, .65, .74) * (.80 + .20 * normal.y + .08 * normal.x) + vec3(1., .90, .74) * day * .62;
  shine *= .45 + .55 * light;
  if (drawn == 8) shine = vec3(1.25);
  vec3 lit = base * shine;
  float beyond = distance(world, reach.xyz) - reach.w, thick = .06 + fwidth(beyond);
  if (reach.w > 0.) lit = mix(lit * (beyond > 0. ? .72 : 1.), vec3(.62, .90, 1.), .85 * (1. - smoothstep(thick, 2. * thick, abs(beyond))));
  float away = distance(world.xz, cameraPosition.xz);
  color = vec4(mix(lit, fogColor, smoothstep(fogFar * .55, fogFar, away)), opacity);
}`;

export class Terrain {
  readonly group = new Group();
  /** Middle and radius of the sphere whose rim is drawn; none with a radius of 0. */
  readonly reach = new Vector4();
  private readonly fogFar = { value: 1 };
  private readonly solid: RawShaderMaterial;
  private readonly clearing: RawShaderMaterial;
  private readonly shown = new Map<string, Mesh[]>();
  /** Two triangles for each quad: the same for all meshes, as long as the longest. */
  private indices = indices(1024);

  constructor(fog: Color, sun: Vector3) {
    const uniforms = { fogColor: { value: fog }, sun: { value: sun }, fogFar: this.fogFar, opacity: { value: 1 }, reach: { value: this.reach } };
    const shaders = { glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT };
    this.solid = new RawShaderMaterial({ ...shaders, uniforms });
    const seen = { ...uniforms, opacity: { value: 0.35 } };
    this.clearing = new RawShaderMaterial({ ...shaders, uniforms: seen, transparent: true, depthWrite: false, side: DoubleSide });
  }

  put(key: string, id: Vec3, made: Made): void {
    this.remove(key);
    const parts: [Uint8Array, RawShaderMaterial][] = [[made.opaque, this.solid], [made.clear, this.clearing]];
    const meshes = parts.filter(([quads]) => quads.length > 0).map(([quads, material]) => this.mesh(quads, material, id));
    if (meshes.length === 0) return;
    this.shown.set(key, meshes);
    this.group.add(...meshes);
  }

  remove(key: string): void {
    for (const mesh of this.shown.get(key) ?? []) {
      this.group.remove(mesh);
      // What all share is not disposed of with one.
      mesh.geometry.setIndex(null);
      mesh.geometry.dispose();
    }
    this.shown.delete(key);
  }

  /** From here one sees so far, metres. What is all fog is not drawn. */
  see(eye: Vector3, viewM: number): void {
    this.fogFar.value = viewM;
    const half = CHUNK_EDGE_M / 2;
    for (const mesh of [...this.shown.values()].flat()) {
      mesh.visible = Math.hypot(mesh.position.x + half - eye.x, mesh.position.z + half - eye.z) < viewM + half * Math.SQRT2;
    }
  }

  clear(): void {
    for (const key of [...this.shown.keys()]) this.remove(key);
  }

  private mesh(quads: Uint8Array, material: RawShaderMaterial, id: Vec3): Mesh {
    const count = quads.length / VERTEX_BYTES / QUAD_VERTICES;
    if (count * QUAD_INDICES.length > this.indices.count) this.indices = indices(2 * count);
    const geometry = new BufferGeometry();
    const bytes = new InterleavedBuffer(quads, VERTEX_BYTES);
    geometry.setAttribute('place', new InterleavedBufferAttribute(bytes, 4, 0));
    geometry.setAttribute('look', new InterleavedBufferAttribute(bytes, 4, 4));
    geometry.setIndex(this.indices);
    geometry.setDrawRange(0, count * QUAD_INDICES.length);
    const middle = CHUNK_EDGE_M / 2;
    geometry.boundingSphere = new Sphere(new Vector3(middle, middle, middle), middle * Math.sqrt(3));
    const mesh = new Mesh(geometry, material);
    mesh.position.set(...id).multiplyScalar(CHUNK_EDGE_M);
    mesh.updateMatrixWorld();
    mesh.matrixAutoUpdate = false;
    return mesh;
  }
}

function indices(quads: number): BufferAttribute {
  const all = new Uint32Array(quads * QUAD_INDICES.length);
  for (let i = 0; i < all.length; i++) {
    all[i] = Math.floor(i / QUAD_INDICES.length) * QUAD_VERTICES + (QUAD_INDICES[i % QUAD_INDICES.length] ?? 0);
  }
  return new BufferAttribute(all, 1);
}
