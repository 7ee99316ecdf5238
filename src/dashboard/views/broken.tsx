export function Broken() {
  return (
    <main class="main">
      <div class="placeholder" role="alert">
        <h1>Something in this page broke</h1>
        <p>Your connections are not affected. Loading the page again usually helps.</p>
        <button type="button" class="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </div>
    </main>
  );
}
