/** The one place that names the generated schema's types. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type TaskState = Schemas['TaskState'];
export type TaskStatus = TaskState['status'];
export type Receipt = Schemas['Receipt'];
export type Check = Schemas['Check'];
export type TaskEvent = Schemas['Event'];
export type EventPage = Schemas['EventPage'];
export type ModelInfo = Schemas['ModelInfo'];
export type ModelList = Schemas['ModelList'];
export type Artifact = Schemas['ArtifactInfo'];
export type Me = Schemas['Me'];
export type Token = Schemas['Token'];
export type PreviewLink = Schemas['PreviewLink'];
