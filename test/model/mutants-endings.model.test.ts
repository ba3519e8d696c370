import { catchAll } from './mutants/catch.ts'
import { endingMutants } from './mutants/endings.ts'

catchAll('ends', endingMutants)
