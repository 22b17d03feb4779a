"""What an idle peer costs a gateway process: three linked regions and one alone, their processor time from /proc over several spans; Linux.

    python3 tests/Mesh.Regions.Tests/peer-cost.py gateway/Mesh.Gateway/bin/Release/net10.0/Mesh.Gateway.dll [seconds before] [seconds of a span] [spans]

The spans before the compiler has come to rest (a minute or so) show its work, too.
"""
import glob, os, shutil, statistics, subprocess, sys, tempfile, time

program = os.path.abspath(sys.argv[1])
before, span, spans = [float(a) for a in (sys.argv[2:] + ["60", "20", "5"][len(sys.argv) - 2:])]
root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
regions = ["europe-west3", "us-east4", "asia-northeast1"]
state = tempfile.mkdtemp()
running = {}


def manifests(name, network):
    path = os.path.join(state, name)
    shutil.copytree(os.path.join(root, "deploy", "examples", "regions"), path)
    for file in glob.glob(path + "/**/*.yaml", recursive=True):
        text = open(file).read()
        for i in range(3):
            text = text.replace(f"127.1{i + 1}.0.", f"127.{network}.{i}.")
        open(file, "w").write(text)
    return path


def start(name, path, region, port, peers):
    arguments = ["dotnet", program, f"--manifests={path}/{region}", f"--region={region}", "--simulate=true", "--Mesh:Keys:Mode=Off",
                 f"--Mesh:Listeners:80=127.0.0.1:{port}", f"--admin=127.0.0.1:{port + 1}"]
    if peers:
        arguments += [f"--peers-at=127.0.0.1:{port + 2}", f"--Mesh:Federation:StateDirectory={state}/{name}"]
        arguments += [f"--peer={peer}=http://127.0.0.1:{at + 2}" for peer, at in peers]
    running[name] = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def spent(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


try:
    start("alone", manifests("a", 120), regions[0], 31000, [])
    path, ports = manifests("b", 121), [31010, 31020, 31030]
    for i in range(3):
        start(regions[i], path, regions[i], ports[i], [(regions[j], ports[j]) for j in range(3) if j != i])
    time.sleep(before)
    costs = []
    for _ in range(int(spans)):
        began, first = time.monotonic(), {name: spent(process) for name, process in running.items()}
        time.sleep(span)
        took = time.monotonic() - began
        used = {name: (spent(process) - first[name]) / took * 100 for name, process in running.items()}
        costs.append((used[regions[0]] - used["alone"]) / 2)
        print(", ".join(f"{name} {share:.2f}%" for name, share in used.items()), f"- a peer {costs[-1]:.2f}% of a core; load {os.getloadavg()[0]:.0f}", flush=True)
    print(f"median {statistics.median(costs):.2f}%")
finally:
    for process in running.values():
        process.kill()
    for process in running.values():
        process.wait()
    shutil.rmtree(state, ignore_errors=True)
