using Mesh.Resources.Effective;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Effective;

public sealed class ConfigDiffTests
{
    [Theory]
    [InlineData("route-everything")]
    [InlineData("model-rewrites")]
    [InlineData("backend-policy-maximum")]
    public void Compare_SameManifests_IsEmpty(string name)
    {
        using var directory = Case(name);
        Assert.Empty(ConfigDiff.Compare(ManifestLoader.Load(directory.Path), ManifestLoader.Load(directory.Path)));
    }

    [Fact]
    public void Compare_WithErrors_IsRefused()
    {
        var valid = ManifestLoader.Load(Cases.Quickstart);
        var broken = ManifestLoader.Load("/no/such/directory");
        Assert.Throws<ArgumentException>(() => ConfigDiff.Compare(broken, valid));
        Assert.Throws<ArgumentException>(() => ConfigDiff.Compare(valid, broken));
    }

    [Fact]
    public void Compare_EachPartOfARoute_ShowsIt()
    {
        var before = Route("""
            - matches: [{path: {type: Exact, value: /a}, method: POST, headers: [{name: x, value: y}]}]
              backendRefs: [REF]
            """);
        var after = Route("""
            - matches:
                - {path: {type: RegularExpression, value: /b.*}, queryParams: [{type: RegularExpression, name: q, value: "1+"}]}
                - {path: {type: PathPrefix, value: /c}}
              timeouts: {request: 9s, backendRequest: 3s}
              filters:
                - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: "1"}], add: [{name: b, value: "2"}], remove: [c]}}
                - {type: URLRewrite, urlRewrite: {hostname: h.example, path: {type: ReplaceFullPath, replaceFullPath: /d}}}
                - {type: RequestMirror, requestMirror: {backendRef: REF, percent: 5}}
              backendRefs: [{group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental, weight: 3}]
            """);

        Assert.Equal(
            [
                "rules[0].matches: Exact /a and POST and header x=y → RegularExpression /b.* and query q~1+ or PathPrefix /c",
                "rules[0].backendRefs: default/experimental weight 1 → default/experimental weight 3",
                "rules[0].filters: none → RequestHeaderModifier set a=1 add b=2 remove c; URLRewrite host h.example ReplaceFullPath /d; RequestMirror 5% to default/experimental",
                "rules[0].timeouts.request: none → 9 s",
                "rules[0].timeouts.backendRequest: none → 3 s",
            ],
            ConfigDiff.Compare(before, after).Select(Text));
    }

    [Fact]
    public void Compare_OwnKindsRewritesAndMetrics_AreShownForThePool()
    {
        using var plain = Case("backend-policy-defaults");
        using var edited = Case("backend-policy-defaults");
        edited.Write("west/own.yaml", """
            apiVersion: mesh.internal/v1alpha1
            kind: FlowControlPolicy
            metadata: {name: queueing}
            spec: {targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}, whenFull: Queue}
            ---
            apiVersion: inference.networking.x-k8s.io/v1alpha2
            kind: InferenceModelRewrite
            metadata: {name: canary}
            spec:
              poolRef: {name: experimental}
              rules: [{matches: [{model: {type: Exact, value: a}}], targets: [{modelRewrite: b, weight: 9}, {modelRewrite: c, weight: 1}]}]
            """);
        var fleet = Path.Combine(edited.Path, "east", "cluster.yaml");
        File.WriteAllText(fleet, File.ReadAllText(fleet).Replace("exportName: queue", "exportName: waiting", StringComparison.Ordinal));

        var before = ManifestLoader.Load(plain.Path);
        var after = ManifestLoader.Load(edited.Path);
        Assert.False(after.HasErrors, string.Join('\n', after.Diagnostics));
        Assert.Equal(
            [
                "flowControl.whenFull: Overfill → Queue",
                "rewrite of model a: none → b weight 9, c weight 1 by default/canary",
                "east/us-east4-a:8000 metric queue: vllm:num_requests_waiting of :8000/metrics → none",
                "east/us-east4-a:8000 metric waiting: none → vllm:num_requests_waiting of :8000/metrics",
            ],
            ConfigDiff.Compare(before, after).Select(Text).Order(StringComparer.Ordinal).OrderBy(t => t[0] is 'f' ? 0 : t[0] is 'r' ? 1 : 2));
    }

    private static string Text(ConfigChange c) => $"{(c.Backend is null ? "" : c.Backend + " ")}{c.Name}: {c.Before ?? "none"} → {c.After ?? "none"}";

    private static LoadResult Route(string rules)
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/route.yaml", """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: entry}
            spec:
              gatewayClassName: gke-l7-cross-regional-internal-managed-mc
              listeners: [{name: http, protocol: HTTP, port: 80}]
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: route}
            spec:
              parentRefs: [{name: entry}]
              rules:

            """ + "    " + rules.Replace("\n", "\n    ", StringComparison.Ordinal)
                .Replace("REF", "{group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}", StringComparison.Ordinal));
        var result = ManifestLoader.Load(directory.Path);
        Assert.False(result.HasErrors, string.Join('\n', result.Diagnostics));
        return result;
    }

    private static TempDirectory Case(string name)
    {
        var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        var folder = Path.Combine(Cases.Golden, name);
        foreach (var file in Directory.EnumerateFiles(folder, "*.yaml")) directory.Write($"west/{Path.GetFileName(file)}", File.ReadAllText(file));
        return directory;
    }
}
