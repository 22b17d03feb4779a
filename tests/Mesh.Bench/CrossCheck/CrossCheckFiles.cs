using System.Globalization;
using System.Text;
using System.Text.Json;
using Mesh.Core.StepTimes;
using Mesh.Simulation.Traces;

namespace Mesh.Bench.CrossCheck;

/// <summary>The files that both sides read: manifests, fleet and trace, in a folder of their own that goes with this object.</summary>
internal sealed class CrossCheckFiles : IDisposable
{
    /// <summary>Tokens of prompt and answer that the servers take at most.</summary>
    public const int MaxModelLen = 16_384;

    private const int LongestSession = 12_000;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mesh-cross-check-");

    /// <summary>Writes all of them.</summary>
    /// <param name="options">What is played.</param>
    /// <param name="addresses">Addresses of the servers, all with one port.</param>
    public CrossCheckFiles(CrossCheckOptions options, IReadOnlyList<(string Ip, int Port)> addresses)
    {
        var cluster = Directory.CreateDirectory(Manifests + "/local").FullName;
        File.WriteAllText(cluster + "/pool.yaml", Pool(addresses[0].Port));
        File.WriteAllText(cluster + "/profile.yaml", Profile(options.SlowDown));
        File.WriteAllText(cluster + "/pods.yaml", string.Join("---\n", addresses.Select((a, i) => Pod(i, a.Ip, a.Port))));
        File.WriteAllText(Fleet, FleetText(options));
        WriteTrace(options);
    }

    /// <summary>Directory of the manifests.</summary>
    public string Manifests => Path.Combine(_folder.FullName, "manifests");

    /// <summary>The simulated fleet.</summary>
    public string Fleet => Path.Combine(_folder.FullName, "fleet.yaml");

    /// <summary>The trace.</summary>
    public string Trace => Path.Combine(_folder.FullName, "trace.jsonl");

    /// <summary>Rows of the trace.</summary>
    public int Requests { get; private set; }

    public void Dispose() => _folder.Delete(recursive: true);

    private void WriteTrace(CrossCheckOptions options)
    {
        var sessions = new GeneratedSessions(new SessionOptions
        {
            Seed = options.Seed,
            Duration = TimeSpan.FromSeconds(options.Seconds),
            SystemPrompts = 6,
            SystemPromptTokens = options.SystemPromptTokens,
            MeanTurns = 3,
            MeanThinkTime = TimeSpan.FromSeconds(8),
            MeanInputTokens = options.InputTokens,
            MeanOutputTokens = options.OutputTokens,
            MostTokens = LongestSession,
        });
        using var file = new StreamWriter(Trace);
        foreach (var row in sessions.At(options.Rate / options.SlowDown))
        {
            // Where turns follow each other faster than they can be answered there is nothing to learn: what comes after the end is left out.
            if (row.ArrivalMs > options.Seconds * 1000) break;
            Requests++;
            file.WriteLine(JsonSerializer.Serialize(new
            {
                timestamp = Math.Round(row.ArrivalMs, 3),
                input_length = row.PromptTokens,
                output_length = row.OutputTokens,
                hash_ids = row.Blocks.ToArray().Take((row.PromptTokens + TraceRequest.BlockTokens - 1) / TraceRequest.BlockTokens),
            }));
        }
    }

    private static string FleetText(CrossCheckOptions options) => Invariant($"""
        apiVersion: mesh.internal/v1alpha1
        kind: SimulatedFleet
        metadata:
          name: cross-check
        spec:
          regions: [bench]
          roundTripMs:
            - [1]
          hardware:
            - name: server
              speed: {1 / options.SlowDown}
              maxModelLen: {MaxModelLen}
          clusters:
            - name: local
              region: bench
              endpoints:
                - hardware: server
                  count: {options.Endpoints}

        """);

    private static string Profile(double slowDown)
    {
        var table = H100Llama8B.Table;
        var text = new StringBuilder("""
            apiVersion: mesh.internal/v1alpha1
            kind: SchedulingProfile
            metadata:
              name: scaled
              namespace: default
            spec:
              targetRef:
                group: inference.networking.k8s.io
                kind: InferencePool
                name: pool
              builtIn: mesh
              stepTimes:

            """);
        int[] tokens = [16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384];
        int[] batches = [1, 2, 4, 8, 16, 32, 64, 128, 256];
        int[] contexts = [128, 512, 2048, 8192];
        text.AppendLine(Invariant($"    prefill: {{ tokens: [{List(tokens)}], ms: [{List(tokens.Select(t => slowDown * table.PrefillMs(t)))}] }}"));
        text.AppendLine(Invariant($"    decode: {{ batches: [{List(batches)}], contexts: [{List(contexts)}], ms: [{string.Join(", ", contexts.Select(c => $"[{List(batches.Select(b => slowDown * table.DecodeMs(b, c)))}]"))}] }}"));
        return text.ToString();
    }

    private static string Pool(int port) => Invariant($"""
        apiVersion: multicluster.x-k8s.io/v1alpha1
        kind: ClusterProfile
        metadata:
          name: local
          namespace: fleet-system
          labels:
            gke.io/region: bench
            gke.io/zone: bench-a
          annotations:
            mesh.internal/config-cluster: "true"
        spec:
          clusterManager:
            name: mesh
          displayName: local
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: gateway
          namespace: default
        spec:
          gatewayClassName: gke-l7-cross-regional-internal-managed-mc
          listeners:
            - name: http
              protocol: HTTP
              port: 80
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata:
          name: all
          namespace: default
        spec:
          parentRefs:
            - name: gateway
              kind: Gateway
          rules:
            - backendRefs:
                - group: inference.networking.k8s.io
                  kind: InferencePool
                  name: pool
        ---
        apiVersion: inference.networking.k8s.io/v1
        kind: InferencePool
        metadata:
          name: pool
          namespace: default
        spec:
          selector:
            matchLabels:
              app: pool
          targetPorts:
            - number: {port}
        ---
        apiVersion: networking.gke.io/v1
        kind: GCPBackendPolicy
        metadata:
          name: long
          namespace: default
        spec:
          targetRef:
            group: inference.networking.k8s.io
            kind: InferencePool
            name: pool
          default:
            timeoutSec: 600

        """);

    private static string Pod(int number, string ip, int port) => Invariant($"""
        apiVersion: v1
        kind: Pod
        metadata:
          name: pod-{number}
          namespace: default
          labels:
            app: pool
        spec:
          containers:
            - name: vllm
              ports:
                - name: http
                  containerPort: {port}
        status:
          phase: Running
          podIP: {ip}

        """);

    private static string List<T>(IEnumerable<T> numbers)
        where T : IFormattable => string.Join(", ", numbers.Select(n => n.ToString(null, CultureInfo.InvariantCulture)));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
