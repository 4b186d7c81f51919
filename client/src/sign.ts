/** A small painted picture that always faces the eye: names, bars, numbers. */

import { CanvasTexture, Sprite, SpriteMaterial } from 'three';

export class Sign {
  readonly sprite: Sprite;
  private readonly canvas: OffscreenCanvas;
  private readonly texture: CanvasTexture<OffscreenCanvas>;

  /** So many pixels, and so many metres wide. */
  constructor({ width, height }: { width: number; height: number }, metres: number) {
    this.canvas = new OffscreenCanvas(width, height);
    this.texture = new CanvasTexture(this.canvas);
    this.sprite = new Sprite(new SpriteMaterial({ map: this.texture, depthWrite: false, transparent: true }));
    this.sprite.scale.set(metres, (metres * height) / width, 1);
  }

  /** Paints it anew. */
  paint(draw: (context: OffscreenCanvasRenderingContext2D) => void): void {
    const context = this.context();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    draw(context);
    this.texture.needsUpdate = true;
  }

  /** Words in the middle, readable on anything. */
  words(text: string, baseline: number, color: string): void {
    const context = this.context();
    const middle = this.canvas.width / 2;
    context.textAlign = 'center';
    context.lineWidth = 6;
    context.strokeStyle = '#0009';
    context.strokeText(text, middle, baseline, this.canvas.width - 8);
    context.fillStyle = color;
    context.fillText(text, middle, baseline, this.canvas.width - 8);
  }

  dispose(): void {
    this.texture.dispose();
    this.sprite.material.dispose();
  }

  private context(): OffscreenCanvasRenderingContext2D {
    const context = this.canvas.getContext('2d');
    if (!context) throw new Error('this browser paints no signs');
    return context;
  }
}
