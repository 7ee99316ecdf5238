/** Inline, because the policy allows no other image source, and because they take the text's colour. */
const paths = {
  brand: "M10 7H8.500a5 5 0 0 0 0 10H10M14 7h1.500a5 5 0 0 1 0 10H14M9 12h6",
  check: "M5 12.500l4.500 4.500L19 7.500",
  clock: "M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0zM12 7.500V12l3 2",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  download: "M12 4v11M7.500 11l4.500 4.500 4.500-4.500M5 20h14",
  external: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  key: "M15 9a3.500 3.500 0 1 1-7 0 3.500 3.500 0 0 1 7 0zM11.500 12.500V20M11.500 16h3M11.500 19h2.500",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.600-5.600l-1.400 1.300M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.600 5.600l1.400-1.300",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  person: "M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM4.500 20a7.500 7.500 0 0 1 15 0",
  plus: "M12 5v14M5 12h14",
  search: "M16 11a5 5 0 1 1-10 0 5 5 0 0 1 10 0zM15 14.500l4.500 4.500",
  shield: "M12 3.500l7 2.500v5.500c0 4.500-3 7.500-7 9-4-1.500-7-4.500-7-9V6zM9 12l2.200 2.200L15.200 10",
  warning: "M12 4l9 16H3zM12 10v4.500M12 17.200v.1",
  offline:
    "M4 4l16 16M8.500 16a5 5 0 0 1 7 0M5 12.500a10 10 0 0 1 4-2.400M19 12.500a10 10 0 0 0-5-2.700M12 19.500v.1",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
