import './no-eval.ts'
import './styles.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { createQueryClient } from './api/query-client.ts'
import { Routes } from './routes.tsx'
import { applyTheme, storedTheme } from './ui/theme.ts'

applyTheme(storedTheme())

const root = document.querySelector('#root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <QueryClientProvider client={createQueryClient()}>
    <Routes />
  </QueryClientProvider>,
)
