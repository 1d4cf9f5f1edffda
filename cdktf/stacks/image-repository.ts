import type { Project } from '../settings.js'

/** Where the images are. Written from the settings, so that no stack has to read the bootstrap's state. */
export function imageRepository({ name, account, region }: Project) {
  return {
    arn: `arn:aws:ecr:${region}:${account}:repository/${name}`,
    url: `${account}.dkr.ecr.${region}.amazonaws.com/${name}`,
  }
}
