/** Who asks. Made once, where credentials are checked; every verb receives it and none looks at credentials. */
export type Actor = {
  kind: 'person' | 'worker' | 'system'
  workspaceId: string
  /** The person's or worker's id; null for the platform itself. */
  id: string | null
  /** As shown in events and on pages. */
  label: string
  /** The token or session that spoke, to be closed when it is revoked. */
  credentialId: string | null
}

export function systemActor(workspaceId: string): Actor {
  return { kind: 'system', workspaceId, id: null, label: 'muster', credentialId: null }
}
