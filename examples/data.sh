# Sourced by the examples' run scripts: reads --data DIR and --seeds N, builds the program, makes a folder to work in.
# In: $here, the example's folder. Out: $data, $seeds, $watchnext, $work, step.

name=$(basename "$here")
data=""
seeds=5
port=8091
while [ $# -gt 0 ]; do
    case "$1" in
        --data) data=${2:?--data needs a folder}; shift 2 ;;
        --seeds) seeds=${2:?--seeds needs a number}; shift 2 ;;
        --port) port=${2:?--port needs a number}; shift 2 ;;
        *) echo "usage: examples/$name/run --data DIR [--seeds N] [--port PORT]" >&2; exit 2 ;;
    esac
done
[ -n "$data" ] || { echo "usage: examples/$name/run --data DIR [--seeds N] [--port PORT]" >&2; exit 2; }
case "$name" in
    census) folder=census_income_kdd ;;
    graded) folder=. ;;
    hotel) folder=hotel_search_position_logs ;;
    kuairand) folder=kuairand_explicit_feedback ;;
    open-bandit) folder=open_bandit_sample ;;
esac
[ -d "$data/$folder" ] && data="$data/$folder"
data=$(cd "$data" && pwd) || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --manifest-path "$here/../../Cargo.toml"
watchnext=${CARGO_TARGET_DIR:-$here/../../target}/release/watchnext
last=$((seeds - 1))

step() { printf '\n== %s\n' "$*"; }
