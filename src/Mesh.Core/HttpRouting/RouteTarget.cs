using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>One match of a rule as a table holds it: where its requests go and what is done to them. Immutable.</summary>
public sealed class RouteTarget
{
    private readonly ImmutableArray<BackendRefConfig> _refs;
    private readonly long _totalWeight;

    internal RouteTarget(HttpRouteConfig route, int ruleIndex, HttpRouteMatch match)
    {
        MatchedPrefix = match.PathType == PathMatchType.PathPrefix ? match.Path : "/";
        Rule = route.Rules[ruleIndex];
        RouteName = $"{route.Namespace}/{route.Name}";
        RuleIndex = ruleIndex;
        _refs = [.. Rule.BackendRefs.Where(r => r.Weight > 0)];
        foreach (var reference in _refs) _totalWeight += reference.Weight;
    }

    /// <summary>Target of requests that a peer region has matched, filtered and rewritten already: no filter, no time-out, no refs.</summary>
    public static RouteTarget OfPeer { get; } = new(new HttpRouteConfig { Namespace = "mesh", Name = "peer", Rules = [new HttpRouteRule()] }, 0, new HttpRouteMatch());

    /// <summary>Route as <c>namespace/name</c>.</summary>
    public string RouteName { get; }

    /// <summary>Position of the rule in its route, from 0.</summary>
    public int RuleIndex { get; }

    /// <summary>The rule as configured: time-outs and filters.</summary>
    public HttpRouteRule Rule { get; }

    /// <summary>Path prefix of the match that took the request; <c>/</c> where it took it by another kind of match.</summary>
    public string MatchedPrefix { get; }

    /// <summary>Pools that may get requests: those with a weight above 0, in the rule's order.</summary>
    public ImmutableArray<BackendRefConfig> Backends => _refs;

    /// <summary>Chooses a pool in proportion to the weights; null when no ref has a weight above 0.</summary>
    /// <param name="draw">64 uniformly distributed bits; equal bits choose the same pool.</param>
    public BackendRefConfig? Choose(ulong draw)
    {
        if (_totalWeight == 0) return null;
        if (_refs.Length == 1) return _refs[0];
        var point = (long)Math.BigMul(draw, (ulong)_totalWeight, out _);
        foreach (var reference in _refs)
        {
            point -= reference.Weight;
            if (point < 0) return reference;
        }

        return _refs[^1];
    }
}
