/** A version of a customer's Worker: what was uploaded, and never changes. */
export interface WorkerVersion {
  /** UUID. */
  readonly id: string
  readonly accountId: string
  readonly scriptName: string
  /** Name of the module whose default export has the handlers. */
  readonly mainModule: string
  readonly modules: readonly WorkerModule[]
  readonly bindings: readonly WorkerBinding[]
  /** YYYY-MM-DD. */
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
}

export interface WorkerModule {
  /** As it is imported: `index.js`, `./lib.wasm`. */
  readonly name: string
  readonly type: 'esm' | 'commonjs' | 'text' | 'data' | 'json' | 'wasm'
  readonly content: Buffer
}

/** What a Worker finds in its `env`, under `name`. A secret is in the clear here, and sealed at rest. */
export type WorkerBinding = { readonly name: string } & (
  | { readonly type: 'plain_text'; readonly text: string }
  | { readonly type: 'secret_text'; readonly text: string }
  | { readonly type: 'json'; readonly json: unknown }
  | { readonly type: 'kv_namespace'; readonly namespaceId: string }
  | { readonly type: 'queue'; readonly queueName: string; readonly deliveryDelay?: number }
  | { readonly type: 'analytics_engine'; readonly dataset: string }
  | { readonly type: 'service'; readonly service: string; readonly entrypoint?: string }
  | ({ readonly type: 'send_email' } & SendEmailRestriction)
)

/** Whom a `send_email` binding may write to, and as whom. Nothing: whoever the account may. */
export interface SendEmailRestriction {
  readonly destinationAddress?: string
  readonly allowedDestinationAddresses?: readonly string[]
  readonly allowedSenderAddresses?: readonly string[]
}
