#!/bin/sh
# Build, run and time every project of this folder, and pack what they gave, with make, a C++ compiler and, for those of
# a GPU, nvcc alone. A project that fails is told of, and stops no other.
#
#     sh run.sh [OUT]      # the packed results go to the folder OUT; default: packed, beside this script
#
# May be set: ARCHITECTURE=sm_90 (default: the GPU's own), CURAND=FOLDER (where it is not beside nvcc), CXX, JOBS (builds
# at once; default: one a core), ALL_SECONDS, BUILD_SECONDS, RUN_SECONDS (the longest that all, one build, and one run
# may take), LARGEST (bytes of a file, beyond which it is left out, and of a part of the archive).
set -u

cd "$(dirname "$0")" || exit 1
here=$PWD
results=$here/results
logs=$results/logs
times=$results/times.txt
cores=$(getconf _NPROCESSORS_ONLN)
all_seconds=${ALL_SECONDS:-345}
run_seconds=${RUN_SECONDS:-60}
largest=${LARGEST:-16777216}
CXX=${CXX:-g++}

build() { # NAME
    begun=$(date +%s)
    [ -z "$CURAND" ] || set -- "$1" "CURAND=$CURAND"
    name=$1
    shift
    case $(sed -n "s/^$name \([a-z]*\) .*/\1/p" projects.txt) in
    cuda) set -- "ARCHITECTURE=$ARCHITECTURE" "$@" ;;
    *) set -- "CXX=$CXX" ;;
    esac
    timeout "$BUILD_SECONDS" make -s -C "projects/$name" main "$@" >"$logs/$name.build" 2>&1
    echo "build $name $? $(($(date +%s) - begun))" >>"$times"
}

if [ "${1:-}" = --build ]; then
    build "$2"
    exit
fi

out=${1:-$here/packed}
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd) || exit 1
began=$(date +%s)
rm -rf "$results"
mkdir -p "$logs" || exit 1
: >"$times"

left() { # seconds
    echo $((all_seconds - ($(date +%s) - began)))
}

# versions, and the GPU
nvcc=$(command -v nvcc) || nvcc=
gpu=$(nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version --format=csv,noheader 2>/dev/null | head -n 1)
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -cd '0-9')
ARCHITECTURE=${ARCHITECTURE:-sm_${capability:-80}}
CURAND=${CURAND:-}
BUILD_SECONDS=${BUILD_SECONDS:-200}
export ARCHITECTURE CURAND CXX BUILD_SECONDS
{
    echo "gpu ${gpu:-none}"
    echo "architecture $ARCHITECTURE"
    if [ -n "$nvcc" ]; then echo "nvcc $(nvcc --version | sed -n 's/.*release //p')"; else echo "nvcc none"; fi
    echo "compiler $($CXX --version 2>/dev/null | head -n 1)"
    echo "processor $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)"
    echo "cores $cores"
    echo "date $(date -u +%Y-%m-%dT%H:%M:%SZ)"
} >"$results/machine.txt"
cat "$results/machine.txt"

# build, as many at once as there are cores
$CXX -O2 -std=c++17 tile.cpp -o tile >"$logs/tile.build" 2>&1 || echo "tile.cpp does not compile, see $logs/tile.build" >&2
while read -r name device _; do
    if [ "$device" = cuda ] && [ -z "$nvcc" ]; then
        echo "build $name 127 0" >>"$times"
        echo "nvcc is not on the PATH" >"$logs/$name.build"
    else
        echo "$name"
    fi
done <projects.txt | xargs -n 1 -P "${JOBS:-$cores}" sh "$0" --build

# one run in the folder `work`, which holds the numbers of the project: NAME LABEL ENVIRONMENT ARGUMENTS...
once() {
    name=$1 label=$2 environment=$3
    shift 3
    mkdir -p "$results/$name/$label"
    seconds=$(left)
    [ "$seconds" -gt 0 ] || { echo "no time is left" >"$logs/$name.$label"; return 124; }
    [ "$seconds" -lt "$run_seconds" ] || seconds=$run_seconds
    (cd "$work" && exec env "$environment" timeout "$seconds" "$here/projects/$name/main" \
        --results_dir "$results/$name/$label/" "$@") >"$logs/$name.$label" 2>&1
    status=$?
    # Brian2 writes all numbers of the network, not only what was recorded
    for file in "$results/$name/$label/"*; do
        grep -qxF "${file##*/}" "projects/$name/kept" || rm -f "$file"
    done
    return "$status"
}

loop() { # NAME LABEL: seconds of the loop over time, or nan
    cut -d ' ' -f 1 "$results/$1/$2/last_run_info.txt" 2>/dev/null || echo nan
}

note() { # NAME LABEL COPIES STATUS BEGUN SECONDS
    echo "run $1 $2 $3 $4 $(($(date +%s) - $5)) $6" >>"$times"
    if [ "$4" = 0 ]; then
        echo "$1 $2, $3 at once: loop $6 s"
    else
        echo "$1 $2 failed with $4: $(tail -n 1 "$logs/$1.$2" 2>/dev/null | cut -c 1-200)"
    fi
}

while read -r name device replicates rounds; do
    [ -x "projects/$name/main" ] || { echo "$name was not built: $(tail -n 1 "$logs/$name.build" | cut -c 1-200)"; continue; }
    work=$here/work
    rm -rf "$work"
    mkdir -p "$work/static_arrays"
    cp "projects/$name/static_arrays/"* "$work/static_arrays/" 2>/dev/null
    ./tile "$replicates" "numbers/$(cat "projects/$name/numbers")" "$work/static_arrays" <"projects/$name/table" \
        >"$logs/$name.tile" 2>&1 || { echo "$name: $(cat "$logs/$name.tile")"; continue; }
    while read -r label environment arguments; do
        begun=$(date +%s)
        # shellcheck disable=SC2086  # several arguments
        once "$name" "$label" "$environment" $arguments
        note "$name" "$label" 1 $? "$begun" "$(loop "$name" "$label")"
    done <"projects/$name/runs"
    # what several processes take side by side, where they share a CPU: the slowest of each round
    round=0
    while [ "$round" -lt "$rounds" ]; do
        for copies in 1 2 16; do
            [ "$copies" -le "$cores" ] || continue
            read -r label environment arguments <"projects/$name/runs"
            begun=$(date +%s) copy=0 processes=
            while [ "$copy" -lt "$copies" ]; do
                # shellcheck disable=SC2086
                once "$name" "copy$copy" "$environment" $arguments &
                processes="$processes $!" copy=$((copy + 1))
            done
            status=0
            for process in $processes; do wait "$process" || status=$?; done
            copy=0
            while [ "$copy" -lt "$copies" ]; do
                loop "$name" "copy$copy"
                rm -rf "${results:?}/$name/copy$copy"
                copy=$((copy + 1))
            done >"$results/slowest"
            note "$name" side "$copies" "$status" "$begun" "$(sort -g "$results/slowest" | tail -n 1)"
        done
        round=$((round + 1))
    done
done <projects.txt
rm -rf "$here/work" "$results/slowest"

# pack: large files are named, not taken
find "$results" -type f -size "+${largest}c" | while read -r file; do
    echo "left ${file#"$results"/} $(wc -c <"$file")" >>"$times"
    rm "$file"
done
rm -f "$out"/results.tar.gz.*
tar -C "$here" -cf - results | gzip -6 | split -b "$largest" - "$out/results.tar.gz."
echo "all took $(($(date +%s) - began)) s; packed in $out:"
ls -l "$out"
