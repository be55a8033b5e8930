import { useEffect, useRef, type ReactNode } from 'react';

const NEAR_END_PIXELS = 120;

interface FollowingScrollerProps {
  label: string;
  /** Any number that changes with the content. */
  growth: number;
  isGrowing: boolean;
  className?: string;
  children: ReactNode;
}

/** A region that stays at its end while its content grows, unless the reader scrolled away. */
export function FollowingScroller(props: FollowingScrollerProps) {
  const { label, growth, isGrowing, className, children } = props;
  const ref = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const region = ref.current;
    if (growth > 0 && isGrowing && isAtEnd.current && region) {
      region.scrollTop = region.scrollHeight;
    }
  }, [growth, isGrowing]);
  return (
    <section
      ref={ref}
      aria-label={label}
      // Focusable, so that a keyboard can scroll it.
      tabIndex={0}
      className={className}
      onScroll={({ currentTarget }) => {
        const { scrollHeight, scrollTop, clientHeight } = currentTarget;
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
      }}
    >
      {children}
    </section>
  );
}
