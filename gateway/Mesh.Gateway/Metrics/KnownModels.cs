using Mesh.Core.Config;
using Mesh.Core.HttpRouting;
using Mesh.Engine;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Metrics;

/// <summary>
/// The model names that may become label values: those that endpoints list and those of the manifests. A client can write any other name as
/// often as it likes without making a series. Thread-safe.
/// </summary>
internal sealed class KnownModels(IMeshEngine engine, ActiveConfiguration configuration, TimeProvider time)
{
    /// <summary>Most names that are known.</summary>
    public const int Max = 1024;

    // A new model shows under its name this long after an endpoint lists it; unknown names cost one look at the engine in this time.
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _refreshing = new();
    private volatile HashSet<string> _names = [];
    private long _refreshed;
    private bool _hasRefreshed;

    /// <summary>True for a name that may be a label value. Allocates nothing for one that is known.</summary>
    public bool Contains(string model)
    {
        if (_names.Contains(model)) return true;
        if (!_refreshing.TryEnter()) return false;
        try
        {
            if (_hasRefreshed && time.GetElapsedTime(_refreshed) < RefreshInterval) return false;
            _names = Read();
            _refreshed = time.GetTimestamp();
            _hasRefreshed = true;
            return _names.Contains(model);
        }
        finally
        {
            _refreshing.Exit();
        }
    }

    private HashSet<string> Read()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var config = configuration.Current.Config;
        foreach (var pool in config.Pools)
        {
            foreach (var rewrite in pool.ModelRewrites) AddRewrite(names, rewrite);
        }

        foreach (var match in config.Routes.SelectMany(r => r.Rules).SelectMany(r => r.Matches).SelectMany(m => m.Headers))
        {
            if (match.Name.Equals(PseudoHeaders.ModelName, StringComparison.OrdinalIgnoreCase) && !match.IsRegularExpression) Add(names, match.Value);
        }

        foreach (var endpoint in engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints))
        {
            if (endpoint.Models.IsDefault) continue;
            foreach (var model in endpoint.Models) Add(names, model);
        }

        return names;
    }

    private static void AddRewrite(HashSet<string> names, ModelRewriteConfig rewrite)
    {
        if (rewrite.Model is { } from) Add(names, from);
        foreach (var target in rewrite.Targets) Add(names, target.Model);
    }

    private static void Add(HashSet<string> names, string model)
    {
        if (names.Count < Max) names.Add(model);
    }
}
