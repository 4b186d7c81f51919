/** What is heard, from where it happens: sounds made of oscillators and noise, and those that spells bring. */

import { SOUND_HEARD_M, VOICES_MAX } from './limits';
import type { Settings } from './settings';
import { length, minus, type Vec3 } from './vec';

export type Happening = 'cast' | 'hit' | 'dig' | 'hurt' | 'death' | 'cue';

/** One part of a sound: a wave that glides from one frequency to another, or noise below one, fading away. Hertz, seconds. */
interface Part {
  wave: OscillatorType | 'noise';
  from: number;
  to: number;
  seconds: number;
  gain: number;
}

const SOUNDS: Record<Happening, Part[]> = {
  cast: [{ wave: 'sine', from: 300, to: 720, seconds: 0.22, gain: 0.3 }, { wave: 'triangle', from: 450, to: 1080, seconds: 0.16, gain: 0.12 }],
  hit: [{ wave: 'noise', from: 1800, to: 300, seconds: 0.16, gain: 0.5 }, { wave: 'square', from: 160, to: 60, seconds: 0.12, gain: 0.16 }],
  dig: [{ wave: 'noise', from: 700, to: 180, seconds: 0.2, gain: 0.6 }],
  hurt: [{ wave: 'sawtooth', from: 240, to: 110, seconds: 0.2, gain: 0.22 }],
  death: [{ wave: 'sine', from: 330, to: 55, seconds: 0.9, gain: 0.35 }, { wave: 'noise', from: 400, to: 80, seconds: 0.6, gain: 0.2 }],
  cue: [{ wave: 'sine', from: 900, to: 1350, seconds: 0.14, gain: 0.14 }],
};
/** As loud as it is up to here; further away less, as sound does. */
const LOUD_WITHIN_M = 5;
/** An end that is heard as one. */
const SILENCE = 0.0001;

export class Sound {
  /** How often each was heard, for tests: happenings, and spells' own by their cue. */
  readonly played: Record<string, number> = {};
  private context: AudioContext | null = null;
  private master: GainNode | null = null;
  private noise: AudioBuffer | null = null;
  private voices = 0;
  private ear: Vec3 = [0, 0, 0];

  constructor(private readonly settings: Settings) {
    // Browsers let a page be heard only after somebody has touched it.
    for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, () => this.wake(), { capture: true });
    settings.heed(() => this.level());
  }

  get state(): AudioContextState | 'asleep' {
    return this.context?.state ?? 'asleep';
  }

  /** Where one hears from, and which way one looks. */
  listen(ear: Vec3, toward: Vec3): void {
    this.ear = ear;
    if (!this.context) return;
    const { listener } = this.context;
    // Firefox has but the older way.
    if (!listener.positionX) {
      listener.setPosition(...ear);
      listener.setOrientation(...toward, 0, 1, 0);
      return;
    }
    const axes: [AudioParam, number][] = [
      [listener.positionX, ear[0]], [listener.positionY, ear[1]], [listener.positionZ, ear[2]],
      [listener.forwardX, toward[0]], [listener.forwardY, toward[1]], [listener.forwardZ, toward[2]],
    ];
    for (const [axis, value] of axes) axis.value = value;
  }

  /** Something happens there; without a place, to the listener. */
  play(what: Happening, at: Vec3 | null = null): void {
    const out = this.place(what, at);
    if (!this.context || !out) return;
    const ends = SOUNDS[what].map((part) => this.sing(part, out));
    this.end(ends, out);
  }

  /** A spell's own sound. */
  playClip(name: string, clip: AudioBuffer, at: Vec3): void {
    const out = this.place(name, at);
    if (!this.context || !out) return;
    const source = new AudioBufferSourceNode(this.context, { buffer: clip });
    source.connect(out);
    source.start();
    this.end([source], out);
  }

  /** Rejects what is no sound; null while nothing can be heard anyway. */
  async decode(bytes: ArrayBuffer): Promise<AudioBuffer | null> {
    return this.context ? this.context.decodeAudioData(bytes) : null;
  }

  private wake(): void {
    if (!this.context) {
      this.context = new AudioContext();
      this.master = new GainNode(this.context);
      this.master.connect(this.context.destination);
      this.noise = noise(this.context);
      this.level();
    }
    if (this.context.state === 'suspended') void this.context.resume().catch(() => undefined);
  }

  private level(): void {
    const { volume, isMuted } = this.settings;
    // Half of the way is half as loud to an ear.
    if (this.master) this.master.gain.value = isMuted ? 0 : volume ** 2;
  }

  /** The way to the ear from a place; none for what is too far away, or one too many. */
  private place(name: string, at: Vec3 | null): AudioNode | null {
    if (!this.context || !this.master || this.voices >= VOICES_MAX) return null;
    if (at && length(minus(at, this.ear)) > SOUND_HEARD_M) return null;
    this.played[name] = (this.played[name] ?? 0) + 1;
    this.voices += 1;
    if (!at) {
      const straight = new GainNode(this.context);
      straight.connect(this.master);
      return straight;
    }
    const [positionX, positionY, positionZ] = at;
    const panner = new PannerNode(this.context, { panningModel: 'equalpower', distanceModel: 'inverse', refDistance: LOUD_WITHIN_M, positionX, positionY, positionZ });
    panner.connect(this.master);
    return panner;
  }

  private sing({ wave, from, to, seconds, gain }: Part, out: AudioNode): AudioScheduledSourceNode {
    const context = out.context;
    const [now, end] = [context.currentTime, context.currentTime + seconds];
    const glide = (param: AudioParam, first: number, last: number): void => {
      param.setValueAtTime(first, now);
      param.exponentialRampToValueAtTime(last, end);
    };
    const loudness = new GainNode(context);
    glide(loudness.gain, gain, SILENCE);
    loudness.connect(out);
    let source: AudioScheduledSourceNode;
    if (wave === 'noise') {
      const filter = new BiquadFilterNode(context, { type: 'lowpass' });
      glide(filter.frequency, from, to);
      source = new AudioBufferSourceNode(context, { buffer: this.noise, loop: true });
      source.connect(filter).connect(loudness);
    } else {
      const oscillator = new OscillatorNode(context, { type: wave });
      glide(oscillator.frequency, from, to);
      oscillator.connect(loudness);
      source = oscillator;
    }
    source.start();
    source.stop(end);
    return source;
  }

  /** Once all of it has ended, its place is free. */
  private end(sources: AudioScheduledSourceNode[], out: AudioNode): void {
    let left = sources.length;
    for (const source of sources) {
      source.onended = () => {
        left -= 1;
        if (left > 0) return;
        out.disconnect();
        this.voices -= 1;
      };
    }
  }
}

/** A second of it. */
function noise(context: AudioContext): AudioBuffer {
  const buffer = context.createBuffer(1, context.sampleRate, context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i++) samples[i] = 2 * Math.random() - 1;
  return buffer;
}
