using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Grains.Contracts;

/// <summary>Kind of a <see cref="FeedbackItem"/>.</summary>
internal enum FeedbackKind : byte
{
    /// <summary>A lease is given back.</summary>
    Complete = 0,

    /// <summary>The first byte of an answer has come.</summary>
    FirstByte = 1,

    /// <summary>The gateway does not want an answer to a call any more: whatever was reserved for it is free.</summary>
    Cancel = 2,
}

/// <summary>What became of one request.</summary>
[GenerateSerializer, Immutable, Alias("mesh.feedback")]
internal readonly record struct FeedbackItem
{
    /// <summary>What happened.</summary>
    [Id(0)] public FeedbackKind Kind { get; init; }

    /// <summary>Lease; for <see cref="FeedbackKind.Cancel"/> the number of the call stands in its sequence.</summary>
    [Id(1)] public LeaseId Lease { get; init; }

    /// <summary>How it ended.</summary>
    [Id(2)] public OutcomeKind Outcome { get; init; }

    [Id(3)] public int PromptTokens { get; init; }

    [Id(4)] public int? CachedTokens { get; init; }

    [Id(5)] public int OutputTokens { get; init; }
}

/// <summary>What became of requests, in the order in which it happened, and what endpoints told of their load beside the answers.</summary>
[GenerateSerializer, Immutable, Alias("mesh.feedback-batch")]
internal sealed record FeedbackBatch
{
    /// <summary>Epoch of the activation that is told.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>Number that the activation gave the gateway's session.</summary>
    [Id(1)] public int Session { get; init; }

    /// <summary>Rises with every batch and announcement of the session: what comes late is passed over.</summary>
    [Id(2)] public long Sequence { get; init; }

    [Id(3)] public FeedbackItem[] Items { get; init; } = [];

    [Id(4)] public LoadNews[] Loads { get; init; } = [];
}

/// <summary>An <see cref="EndpointReport"/> on its way: its age instead of a time of the sender's clock.</summary>
[GenerateSerializer, Immutable, Alias("mesh.load-news")]
internal readonly record struct LoadNews
{
    [Id(0)] public EndpointId Endpoint { get; init; }

    [Id(1)] public long AgeTicks { get; init; }

    [Id(2)] public double? KvUtilizationRatio { get; init; }

    [Id(3)] public int? RunningRequests { get; init; }

    [Id(4)] public int? WaitingRequests { get; init; }

    [Id(5)] public double? ApplicationUtilizationRatio { get; init; }

    [Id(6)] public double? CpuUtilizationRatio { get; init; }
}
