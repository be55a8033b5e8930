export function Logo() {
  return (
    <span className="flex items-center gap-2.5">
      <svg viewBox="0 0 32 32" className="size-6.5" aria-hidden>
        <rect width="32" height="32" rx="8" fill="#3b4fd8" />
        <path
          d="M9 8h6a8 8 0 0 1 0 16H9z"
          fill="none"
          stroke="#fff"
          strokeWidth="3"
          strokeLinejoin="round"
        />
        <path
          d="m10.5 16 3 3 6-6.5"
          fill="none"
          stroke="#9fe8c5"
          strokeWidth="2.5"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span className="text-[1.07rem] font-semibold tracking-tight">Diono</span>
    </span>
  );
}
