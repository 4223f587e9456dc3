#!/usr/bin/env bash
# Make the pictures of the README with headless Chromium: docs/screenshots.sh [CHROMIUM]
set -euo pipefail
cd "$(dirname "$0")/.."
chromium="${1:-chromium}"
log="$(mktemp)"; profile="$(mktemp -d)"
"${SEKININ:-.venv/bin/sekinin}" serve --port 0 >"$log" 2>/dev/null & server=$!
trap 'kill "$server"; rm -rf "$log" "$profile"' EXIT
until grep -q '^http' "$log"; do sleep 0.2; done
address="$(cat "$log")"
shot() { # name, address, height
  "$chromium" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --hide-scrollbars --user-data-dir="$profile" --window-size="1280,$3" \
    --screenshot="docs/images/$1.png" "$address$2" >/dev/null 2>&1
  echo "docs/images/$1.png"
}
for lang in en ja; do
  shot "atlas-$lang" "atlas?lang=$lang" 1000
  shot "service-$lang" "services/talkz?lang=$lang" 1100
  shot "duties-$lang" "duties?service=talkz&service=resv&lang=$lang" 900
done
