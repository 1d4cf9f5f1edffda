// The samples import their types from where the guide says to generate them to; here these are the repository's own.
export type { paths } from '../../generated/contract.js'
