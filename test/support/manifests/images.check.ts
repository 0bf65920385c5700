import { containersOf, type Manifest, ofKind } from './manifests.js';

/** Every image has a tag that stays what it is. */
export function imagesCheck(manifests: readonly Manifest[]): string[] {
  return ofKind(manifests, 'Deployment').flatMap((deployment) =>
    containersOf(deployment).flatMap(({ name, image = '' }) => {
      const tag = /:([\w][\w.-]*)$/.exec(image)?.[1];
      if (tag === undefined) return [`${deployment.metadata.name}/${name}: ${image} has no tag`];
      return tag === 'latest' ? [`${deployment.metadata.name}/${name}: ${image} changes under our feet`] : [];
    }),
  );
}
