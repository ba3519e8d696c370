import { catchAll } from './mutants/catch.ts'
import { fenceMutants } from './mutants/fence.ts'

catchAll('the lease', fenceMutants)
