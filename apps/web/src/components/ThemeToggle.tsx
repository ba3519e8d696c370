import { useState } from 'react'
import { IconButton } from '../ui/Button.tsx'
import { applyTheme, storedTheme, themes, type Theme } from '../ui/theme.ts'

const icons = { system: 'contrast', light: 'sun', dark: 'moon' } as const

export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
  const change = () => {
    applyTheme(next)
    setTheme(next)
  }
  return <IconButton label={`Theme: ${theme}. Change to ${next}`} icon={icons[theme]} onClick={change} />
}
