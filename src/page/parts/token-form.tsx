import { useState } from 'preact/hooks';

interface Props {
  status: number;
  message: string;
  onToken: (token: string) => void;
}

/** Asked for when the page is opened from another machine. */
export function TokenForm({ status, message, onToken }: Props) {
  const [token, setToken] = useState('');
  const helps = status === 401;
  return (
    <main class="locked">
      <h1>{helps ? 'Who are you?' : 'Not from here'}</h1>
      <p>No access: {message}.</p>
      {helps && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            // What a clipboard adds around it.
            const given = token.trim();
            if (given !== '') onToken(given);
          }}
        >
          <label for="token">Diagnostics token</label>
          <input
            id="token"
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <button type="submit">Look</button>
        </form>
      )}
    </main>
  );
}
