using System.Buffers;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.HttpRouting;
using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Inference.Draining;
using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Keys;
using IRouter = Mesh.Core.Routing.IRouter;

namespace Mesh.Gateway.Inference;

/// <summary>All state of one inference request on its way through the gateway. One thread at a time.</summary>
internal sealed class InferenceExchange : Flight
{
    /// <summary>The lease, given back exactly once on every path. A field, because the struct must not be copied.</summary>
    public LeaseScope Lease;

    private ulong[]? _chain;
    private PooledBody? _rewritten;

    public InferenceExchange(HttpContext context, string requestId, RequestLifetime lifetime, IRouter router)
    {
        Context = context;
        RequestId = requestId;
        Lifetime = lifetime;
        Path = context.Request.Path.Value ?? "/";
        Lease = new LeaseScope(router);
    }

    public HttpContext Context { get; }

    public string RequestId { get; }

    public override RequestLifetime Lifetime { get; }

    /// <summary>The body; null until it has been read.</summary>
    public PooledBody? Body { get; set; }

    /// <summary>What the body says.</summary>
    public BodyFacts Facts { get; set; }

    /// <summary>The configuration that the request goes by; null until it has been matched.</summary>
    public RoutingState? State { get; set; }

    /// <summary>The rule that took the request; null until one did.</summary>
    public RouteTarget? Target { get; set; }

    /// <summary>The ref of the rule that was chosen; null until one is.</summary>
    public BackendRefConfig? BackendRef { get; set; }

    /// <summary>Path that the model server gets; the client's until a rule rewrites it.</summary>
    public string Path { get; set; }

    /// <summary>Endpoint of the last attempt; default before the first.</summary>
    public EndpointId Endpoint { get; set; }

    /// <summary>Attempts so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Priority by the objective.</summary>
    public int Priority { get; set; }

    /// <summary>Why it was placed where it was, or refused; of the last placement.</summary>
    public DecisionReason Decision { get; set; }

    /// <summary>Who sent it; null where no key is asked for.</summary>
    public Caller? Caller { get; init; }

    /// <summary>Tokens that the key's allowance has been charged so far, by estimate.</summary>
    public int TokensTaken { get; set; }

    /// <summary>The client asks how its request is placed, and may.</summary>
    public bool IsAsked { get; init; }

    /// <summary>The decision is kept with its candidates: asked for, or sampled.</summary>
    public bool IsExplained { get; init; }

    /// <summary>The engine refused it.</summary>
    public bool WasRefused { get; set; }

    /// <summary>The last decision as the client is told; null where it did not ask.</summary>
    public string? DecisionJson { get; set; }

    /// <summary>Time in which the router decided, waits included, over all attempts.</summary>
    public TimeSpan QueueWait { get; set; }

    /// <summary>Reason of the error that the gateway told the client; null without one.</summary>
    public string? Failure { get; set; }

    /// <summary>Bytes of the answer's body that went to the client.</summary>
    public long ResponseBytes { get; set; }

    /// <summary>Tokens that the answer says it took.</summary>
    public TokenUsage Usage { get; set; }

    /// <summary>Times that the configuration dropped the endpoint before it answered.</summary>
    public int Displacements { get; set; }

    /// <summary>Pool; default until one is chosen.</summary>
    public PoolId PoolId { get; set; }

    /// <summary>Pool's configuration; null until one is chosen.</summary>
    public PoolEntry? Pool { get; set; }

    /// <summary>Model that the server gets; null until a pool is chosen.</summary>
    public string? Model { get; private set; }

    /// <summary>The body that the model server gets: the client's, or a copy of it with another model.</summary>
    public PooledBody SentBody => _rewritten ?? Body!;

    /// <summary>True when the model server gets another model than the one that the client named.</summary>
    public bool IsModelRewritten => _rewritten is not null;

    /// <summary>Hashes of the prompt's blocks, in pooled memory until <see cref="Release"/>.</summary>
    public ReadOnlyMemory<ulong> PrefixChain { get; private set; }

    /// <summary>Session that the request belongs to.</summary>
    public RequestSession Session { get; set; }

    /// <summary>Endpoints that failed this request.</summary>
    public ImmutableArray<EndpointId> Excluded { get; set; } = [];

    /// <summary>Set when the first byte of the answer's body came.</summary>
    public TimeSpan? FirstByteAfter { get; private set; }

    /// <summary>Status that the client got; 499 when it left before there was one.</summary>
    public int Status { get; set; }

    /// <summary>How a request that was sent ended, for the metrics; null when it was never sent.</summary>
    public string? Ending { get; set; }

    /// <summary>Settles which model the server gets.</summary>
    /// <param name="target">The model to send instead of the client's; null sends that.</param>
    public void SendModel(string? target)
    {
        _rewritten?.Release();
        _rewritten = null;
        Model = target ?? Facts.Model;
        if (target is not null && target != Facts.Model) _rewritten = ModelChoice.Splice(Body!, Facts.ModelValue, ModelChoice.Json(target));
    }

    /// <summary>Hashes the prompt for the model that the server gets; a prompt below one block has no chain.</summary>
    public void HashPrompt()
    {
        PrefixChain = default;
        if (Facts.PromptValue.Length + Facts.ToolsValue.Length < PromptChain.MinBytes) return;
        _chain ??= ArrayPool<ulong>.Shared.Rent(PromptChain.MaxBlocks);
        PrefixChain = _chain.AsMemory(0, PromptChain.Compute(Body!.Memory.Span, Facts, Model!, _chain));
    }

    /// <summary>Gives pooled memory back. Nobody may read body or chain any more, a client that still sends and holds its own reference aside.</summary>
    public void Release()
    {
        Body?.Release();
        _rewritten?.Release();
        _rewritten = null;
        PrefixChain = default;
        if (_chain is not null) ArrayPool<ulong>.Shared.Return(_chain);
        _chain = null;
    }

    /// <summary>Tells the engine and notes the time, once.</summary>
    public void OnFirstByte()
    {
        if (FirstByteAfter is not null) return;
        FirstByteAfter = Lifetime.Elapsed;
        Lease.ReportFirstByte();
    }
}
