import { basename } from 'node:path';
import type { Plant } from './plant.js';

/** How near a named place is to the planted line, best first. */
const PLACE_SCORES = ['exact', 'function', 'file', 'wrong', 'none'] as const;
export type PlaceScore = (typeof PLACE_SCORES)[number];

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The rule for every detector: the planted line, its function, its file, some other file, or no place at all. */
export function scorePlace(place: Place | null | undefined, plant: Plant): PlaceScore {
  if (!place) return 'none';
  if (basename(place.file) !== basename(plant.file)) return 'wrong';
  if (place.line === plant.line) return 'exact';
  const inside = plant.function && place.line >= plant.function.firstLine && place.line <= plant.function.lastLine;
  return inside ? 'function' : 'file';
}

/** The same for a program that prints text for people: the best place in it. */
export function scoreText(text: string, plant: Plant): PlaceScore {
  const name = basename(plant.file).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const scores = [...text.matchAll(new RegExp(`${name}:(\\d+)`, 'g'))].map(([, line]) =>
    scorePlace({ file: plant.file, line: Number(line) }, plant),
  );
  if (scores.length === 0 && text.includes(basename(plant.file))) return 'file';
  return best(scores);
}

export function best(scores: readonly PlaceScore[]): PlaceScore {
  return PLACE_SCORES.find((score) => scores.includes(score)) ?? 'none';
}
