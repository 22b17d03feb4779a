using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.HttpRouting;
using Mesh.Core.Routing;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Draining;
using Mesh.Gateway.Inference.ModelRewriting;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Inference.Shaping;
using Mesh.Gateway.Inference.StoredResponses;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Telemetry.Tracing;
using IRouter = Mesh.Core.Routing.IRouter;

namespace Mesh.Gateway.Inference;

/// <summary>All state of one inference request on its way through the gateway. One thread at a time.</summary>
internal sealed class InferenceExchange : Flight
{
    /// <summary>The lease, given back exactly once on every path. A field, because the struct must not be copied.</summary>
    public LeaseScope Lease;

    private const int MaxFirstBytes = 2048;

    private readonly IRouter _router;
    private ulong[]? _chain;
    private PooledBody? _edited;

    public InferenceExchange(HttpContext context, string requestId, RequestLifetime lifetime, IRouter router)
    {
        Lifetime = lifetime;
        _router = router;
        Begin(context, requestId);
    }

    public HttpContext Context { get; private set; }

    public string RequestId { get; private set; }

    public override RequestLifetime Lifetime { get; }

    /// <summary>The API that was called; <see cref="InferenceApis.Unknown"/> until a route has made one of the path.</summary>
    public InferenceApi Api { get; set; }

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

    /// <summary>Backend of the last attempt, and its series; null before the first.</summary>
    public BackendSeries? Placement { get; set; }

    /// <summary>Spans of the request; null while nobody traces.</summary>
    public RequestTrace? Trace { get; set; }

    /// <summary>Attempts so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Why the attempt before failed, until another one follows; null before the first failure.</summary>
    public string? RetryReason { get; set; }

    /// <summary>It has used its failover that costs no budget.</summary>
    public bool HasFailedOver { get; set; }

    /// <summary>A retry has been taken out of the pool's budget and not been made yet.</summary>
    public bool HoldsRetry { get; set; }

    /// <summary>The pool's budget did not allow another attempt.</summary>
    public bool IsRetryWithheld { get; set; }

    /// <summary>Priority by the objective.</summary>
    public int Priority { get; set; }

    /// <summary>Why it was placed where it was, or refused; of the last placement.</summary>
    public DecisionReason Decision { get; set; }

    /// <summary>Who sent it; null where no key is asked for.</summary>
    public Caller? Caller { get; set; }

    /// <summary>Tokens that the key's allowance has been charged so far, by estimate.</summary>
    public int TokensTaken { get; set; }

    /// <summary>It counts among the requests that its key may have under way.</summary>
    public bool HoldsPlace { get; set; }

    /// <summary>The client asks how its request is placed, and may.</summary>
    public bool IsAsked { get; set; }

    /// <summary>The decision is kept with its candidates: asked for, or sampled.</summary>
    public bool IsExplained { get; set; }

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

    /// <summary>Tokens that the answer's first bytes tell: some streams give the prompt's at the start, some answers have all of it there.</summary>
    public TokenUsage FirstUsage { get; private set; }

    /// <summary>Times that the configuration dropped the endpoint before it answered.</summary>
    public int Displacements { get; set; }

    /// <summary>Pool; default until one is chosen.</summary>
    public PoolId PoolId { get; set; }

    /// <summary>Pool's configuration; null until one is chosen.</summary>
    public PoolEntry? Pool { get; set; }

    /// <summary>Model that the server gets; null until a pool is chosen.</summary>
    public string? Model { get; private set; }

    /// <summary>The body that the model server gets: the client's, or an edited copy of it.</summary>
    public PooledBody SentBody => _edited ?? Body!;

    /// <summary>True when the model server gets another model than the one that the client named.</summary>
    public bool IsModelRewritten => Model != Facts.Model;

    /// <summary>True when the gateway asked for a usage that the client did not ask for, and must not see.</summary>
    public bool HidesUsage { get; private set; }

    /// <summary>Endpoints that the request may go to; default means all.</summary>
    public ImmutableArray<EndpointId> Subset { get; set; }

    /// <summary>Hashes of the prompt's blocks, in pooled memory until <see cref="Release"/>.</summary>
    public ReadOnlyMemory<ulong> PrefixChain { get; private set; }

    /// <summary>Session that the request belongs to.</summary>
    public RequestSession Session { get; set; }

    /// <summary>What the peer region says that sent it here; null for a client's own.</summary>
    public ForwardedRequest? Forwarded { get; set; }

    /// <summary>Peer region of the last attempt; null when that was here.</summary>
    public string? PeerRegion { get; set; }

    /// <summary>Peer regions that refused or failed this request.</summary>
    public ImmutableArray<string> ExcludedRegions { get; set; } = [];

    /// <summary>Endpoints that failed this request.</summary>
    public ImmutableArray<EndpointId> Excluded { get; set; } = [];

    /// <summary>Set when the first byte of the answer's body came.</summary>
    public TimeSpan? FirstByteAfter { get; private set; }

    /// <summary>Status that the client got; 499 when it left before there was one.</summary>
    public int Status { get; set; }

    /// <summary>How a request that was sent ended, for the metrics; null when it was never sent.</summary>
    public string? Ending { get; set; }

    /// <summary>Takes up another request, after <see cref="Clear"/>; its lifetime has begun anew.</summary>
    [MemberNotNull(nameof(Context), nameof(RequestId), nameof(Path), nameof(Api))]
    public void Begin(HttpContext context, string requestId)
    {
        Context = context;
        RequestId = requestId;
        Path = context.Request.Path.Value ?? "/";
        Api = InferenceApis.Find(Path) ?? InferenceApis.Unknown;
        Lease = new LeaseScope(_router);
    }

    /// <summary>Forgets all of a request that is over: another one must find nothing of it. Every field but lifetime and router stands here.</summary>
    public void Clear()
    {
        Context = null!;
        RequestId = Path = null!;
        Lease = default;
        _chain = null;
        _edited = null;
        Body = null;
        Api = InferenceApis.Unknown;
        Facts = default;
        State = null;
        Target = null;
        BackendRef = null;
        Endpoint = default;
        Placement = null;
        Trace = null;
        Caller = null;
        TokensTaken = 0;
        HasFailedOver = HoldsPlace = HoldsRetry = IsRetryWithheld = IsAsked = IsExplained = WasRefused = HidesUsage = false;
        DecisionJson = null;
        Subset = default;
        FirstUsage = default;
        Attempts = Priority = Displacements = Status = 0;
        Decision = default;
        QueueWait = default;
        Failure = Ending = Model = RetryReason = null;
        ResponseBytes = 0;
        Usage = default;
        PoolId = default;
        Pool = null;
        PrefixChain = default;
        Session = default;
        Excluded = [];
        ExcludedRegions = [];
        Forwarded = null;
        PeerRegion = null;
        FirstByteAfter = null;
        List = null;
        Next = Previous = null;
        PlacedIn = default;
        Number = 0;
        HasBegun = IsDisplaced = false;
    }

    /// <summary>Settles which model the server gets, and with it the body.</summary>
    /// <param name="target">The model to send instead of the client's; null sends that.</param>
    public void SendModel(string? target)
    {
        Model = target ?? Facts.Model;
        EditBody(null);
    }

    /// <summary>An endpoint has been chosen: a response that it will keep gets an id that leads back to it.</summary>
    public void PrepareFor(EndpointId endpoint)
    {
        if (Api.MakesResponses && !Facts.HasRequestId) EditBody(ResponseIds.NewField(endpoint, Facts.Model!));
    }

    /// <summary>Hashes the prompt for the model that the server gets; a prompt below one block has no chain.</summary>
    public void HashPrompt()
    {
        PrefixChain = default;
        if (Api.Work != ApiWork.Generation || Facts.IsForm) return;
        if (Facts.SystemValue.Length + Facts.PromptValue.Length + Facts.ToolsValue.Length < PromptChain.MinBytes) return;
        _chain ??= ArrayPool<ulong>.Shared.Rent(PromptChain.MaxBlocks);
        PrefixChain = _chain.AsMemory(0, PromptChain.Compute(Body!.Memory.Span, Facts, Model!, _chain));
    }

    /// <summary>Gives pooled memory back. Nobody may read body or chain any more, a client that still sends and holds its own reference aside.</summary>
    public void Release()
    {
        Body?.Release();
        _edited?.Release();
        _edited = null;
        PrefixChain = default;
        if (_chain is not null) ArrayPool<ulong>.Shared.Return(_chain);
        _chain = null;
    }

    /// <summary>Bytes of the answer's body came: tells the engine and notes the time, once.</summary>
    public void OnBytes(ReadOnlySpan<byte> bytes)
    {
        if (FirstByteAfter is not null) return;
        FirstByteAfter = Lifetime.Elapsed;
        // An answer that comes as a whole is complete moments later, which tells the same.
        if (Facts.Stream) Lease.ReportFirstByte();
        FirstUsage = UsageReader.Read(bytes.Length > MaxFirstBytes ? bytes[..MaxFirstBytes] : bytes);
    }

    private void EditBody(byte[]? responseId)
    {
        var usage = UsageRequest.For(Api, Facts);
        HidesUsage = usage is not null;
        _edited?.Release();
        _edited = null;
        if (usage is null && responseId is null && !IsModelRewritten) return;
        Span<BodyEdit> edits = [default, default, default];
        var count = 0;
        if (IsModelRewritten) edits[count++] = new BodyEdit(Facts.ModelValue, ModelChoice.Encode(Model!, Facts));
        if (usage is { } edit) edits[count++] = edit;
        if (responseId is not null) edits[count++] = new BodyEdit(new ByteRange(Facts.RootOffset + 1, 0), responseId);
        _edited = BodyEditor.Apply(Body!, edits[..count]);
    }
}
