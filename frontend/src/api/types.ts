/** The one place that names the generated schema's types. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type TaskState = Schemas['TaskState'];
export type TaskStatus = TaskState['status'];
export type TaskEvent = Schemas['Event'];
export type EventPage = Schemas['EventPage'];
export type ModelInfo = Schemas['ModelInfo'];
export type ModelList = Schemas['ModelList'];
export type Artifact = Schemas['ArtifactInfo'];
export type Account = Schemas['Account'];
export type Token = Schemas['AccessToken'];
export type PreviewLink = Schemas['PreviewLink'];
export type SharedPreview = Schemas['SharedPreview'];
export type SandboxKey = Schemas['SandboxKey'];
export type IssuedSandboxKey = Schemas['IssuedSandboxKey'];
export type NewSandboxKey = Schemas['NewSandboxKey'];
export type RunningSandbox = Schemas['RunningSandbox'];
export type LanguageInfo = Schemas['LanguageInfo'];
export type ExecuteProgram = Schemas['ExecuteProgram'];
export type ExecutedProgram = Schemas['ExecutedProgram'];
export type ProjectPlan = Schemas['ProjectPlan'];
export type RunMode = Schemas['RunMode'];
export type RunReport = Schemas['RunReport'];
export type ServiceStatus = Schemas['ServiceStatus'];
export type LanguageList = Schemas['LanguageList'];
