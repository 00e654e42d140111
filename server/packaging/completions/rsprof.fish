# Completion of rsprof for fish.
function __rsprof_pids
    rsprof list 2>/dev/null | string match -r '^\s*\d+\s.*' | string trim | string replace -r '\s+' \t
end

set -l commands serve list watch snapshot doctor symbolize
set -l measured '__fish_seen_subcommand_from watch snapshot'
set -l profiled '__fish_seen_subcommand_from serve watch snapshot'
complete -c rsprof -f
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a serve -d 'speak the protocol of editors'
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a list -d 'show the Rust processes of this machine'
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a watch -d 'show the hottest lines, live'
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a snapshot -d 'measure and print what was seen'
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'say what is missing, and what mends it'
complete -c rsprof -n "not __fish_seen_subcommand_from $commands" -a symbolize -d 'turn addresses into lines'
complete -c rsprof -n "$measured doctor" -a '(__rsprof_pids)'
complete -c rsprof -n $profiled -l cpu-freq -x -d 'samples a second for each running thread'
complete -c rsprof -n $profiled -l heap -x -a 'auto hook uprobe off' -d 'how live heap is tracked'
complete -c rsprof -n $profiled -l heap-interval -x -d 'mean bytes between samples'
complete -c rsprof -n $profiled -l budget -x -d 'the most that profiling may cost, in percent'
complete -c rsprof -n $profiled -l window -x -d 'length of the sliding window in seconds'
complete -c rsprof -n $profiled -l source-map -x -d 'FROM=TO: where sources are now'
complete -c rsprof -n $measured -l workspace -x -a '(__fish_complete_directories)' -d 'a folder with your code'
complete -c rsprof -n '__fish_seen_subcommand_from snapshot' -l duration -x -d 'for how many seconds'
complete -c rsprof -n '__fish_seen_subcommand_from snapshot' -l format -x -a 'json folded pprof firefox' -d 'for which tool'
complete -c rsprof -n '__fish_seen_subcommand_from snapshot' -s o -l output -r -d 'write there'
complete -c rsprof -n '__fish_seen_subcommand_from list' -l all -d 'other programs too'
complete -c rsprof -n '__fish_seen_subcommand_from list doctor' -l json -d 'as JSON'
complete -c rsprof -n '__fish_seen_subcommand_from symbolize' -F
