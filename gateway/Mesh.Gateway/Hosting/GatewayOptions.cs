using System.ComponentModel.DataAnnotations;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Inference.Retrying;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Limits;
using Mesh.Gateway.Telemetry.Otlp;
using Mesh.Gateway.Tls;
using Mesh.Gateway.Transport;
using Mesh.Gateway.Upstream;
using Microsoft.Extensions.Options;

namespace Mesh.Gateway.Hosting;

/// <summary>Options of the gateway process: section <c>Mesh</c> of the configuration (<c>--Mesh:Region=…</c>, <c>Mesh__Region=…</c>, appsettings.json).</summary>
internal sealed record GatewayOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Mesh";

    /// <summary>Directory with a directory of manifests per cluster; unset means the quick start with its simulated endpoints.</summary>
    public string? Manifests { get; set; }

    /// <summary>Runs a simulated vLLM at every endpoint of the manifests; unset means only in the quick start.</summary>
    public bool? Simulate { get; set; }

    /// <summary>How much faster than real time simulated endpoints run, above 0 and at most 100,000.</summary>
    [Range(0.001, 100_000)]
    public double SimulationSpeed { get; set; } = 1;

    /// <summary>Region that this process serves: its listeners are opened, and its clusters are the near ones. Unset means that the process stands for
    /// every region, and no cluster is nearer than another.</summary>
    public string? Region { get; set; }

    /// <summary>Address on which listeners are opened, unless <see cref="Listeners"/> gives one.</summary>
    [Required]
    public string BindAddress { get; set; } = "127.0.0.1";

    /// <summary>From a listener's port in the manifests to where this process opens it: <c>port</c> or <c>address:port</c>.
    /// A port that is not named opens as it is, below 1024 moved up by 8000 (80 becomes 8080, 443 becomes 8443).</summary>
    public Dictionary<string, string> Listeners { get; set; } = [];

    /// <summary>Ports of listeners in the manifests without TLS that speak HTTP/2 alone, by prior knowledge (h2c).</summary>
    public int[] Http2Listeners { get; set; } = [];

    /// <summary><c>address:port</c> for <c>/dashboard</c>, <c>/api/v1</c>, <c>/metrics</c>, <c>/mesh/v1/decisions</c>, <c>/api/v1/drains</c>, <c>/healthz</c> and <c>/readyz</c>; unset means that the listeners answer them.</summary>
    public string? AdminAddress { get; set; }

    /// <summary>Peer regions by name, to which requests overflow; with them this process serves its own region's clusters alone.</summary>
    public Dictionary<string, PeerOptions> Peers { get; set; } = [];

    /// <summary>How peers and this gateway know and reach each other.</summary>
    [ValidateObjectMembers]
    public FederationOptions Federation { get; set; } = new();

    /// <summary>Largest request body in bytes, 1–1 GiB.</summary>
    [Range(1, 1 << 30)]
    public int MaxBodyBytes { get; set; } = 32 << 20;

    /// <summary>What clients may take.</summary>
    [ValidateObjectMembers]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>Who may use the gateway.</summary>
    [ValidateObjectMembers]
    public KeyOptions Keys { get; set; } = new();

    /// <summary>Files of the certificates that HTTPS listeners of the manifests name, by the name of the reference.</summary>
    public Dictionary<string, CertificateOptions> Certificates { get; set; } = [];

    /// <summary>TLS towards model servers, by pool (<c>namespace/name</c>), by cluster, or <c>*</c> for all; the first of these that is there holds.</summary>
    public Dictionary<string, UpstreamTlsOptions> UpstreamTls { get; set; } = [];

    /// <summary>Attempts on other endpoints after the first failed before it answered, 0–5.</summary>
    [Range(0, 5)]
    public int MaxRetries { get; set; } = 2;

    /// <summary>How many of those attempts the requests of one pool may cause together.</summary>
    [ValidateObjectMembers]
    public RetryBudgetOptions RetryBudget { get; set; } = new();

    /// <summary>Time to connect to an endpoint, 10 ms–60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Keys that the gateway sends to model servers as <c>Authorization: Bearer</c>, by pool (<c>namespace/name</c>), by cluster, or <c>*</c>
    /// for all; the first of these that is there holds. <c>file:PATH</c> reads the key from a file, and again within seconds of a change.</summary>
    public Dictionary<string, string> UpstreamKeys { get; set; } = [];

    /// <summary>Who speaks HTTP to the endpoints: <c>Sockets</c>, the gateway's own client, <c>Framework</c>, .NET's, or <c>Http2</c>, .NET's with HTTP/2 in clear text.</summary>
    [EnumDataType(typeof(UpstreamKind))]
    public UpstreamKind Upstream { get; set; } = UpstreamKind.Sockets;

    /// <summary>On which sockets connections live: <c>Auto</c>, the gateway's own loops where the system has them, or <c>Framework</c>, .NET's.</summary>
    [EnumDataType(typeof(SocketKind))]
    public SocketKind Sockets { get; set; } = SocketKind.Auto;

    /// <summary>True when connections live on the gateway's own loops.</summary>
    public bool UsesLoops => Sockets == SocketKind.Auto && Libc.IsSupported;

    /// <summary>Time from the end of a request to the head of its answer, in whole seconds, 0–1 h; 0 leaves it to the limits of pool and rule.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan HeadTimeout { get; set; } = TimeSpan.Zero;

    /// <summary>Time within which an answer that has begun must go on, in whole seconds, 0–1 h; 0 sets no limit.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often each endpoint is asked, beside a plain answer, for its load (ORCA), 0–1 h; 0 never asks.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LoadReportInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Time in which an endpoint that is new or has come back rises to its full share of the requests, 0–1 h; 0 gives it all at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan SlowStartWindow { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Directory for what must outlive a restart: the drains. Empty keeps nothing; unset means one of this gateway's own under the user's state directory.</summary>
    public string? StateDirectory { get; set; }

    /// <summary>Time that open requests get when the process stops, 0–1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Goes through the request path once before the listeners open, so that the first requests do not wait for code to be compiled; takes 3 s at most.</summary>
    public bool Rehearses { get; set; } = true;

    /// <summary>Stops when its standard input ends: set by a process that starts this one and must not leave it behind, however it ends itself.</summary>
    public bool EndWithInput { get; set; }

    /// <summary>File that the access log's lines are appended to; unset means that they go to the log category <c>Mesh.AccessLog</c>.</summary>
    public string? AccessLog { get; set; }

    /// <summary>Where metrics and spans go by OTLP.</summary>
    [ValidateObjectMembers]
    public OtlpOptions Otlp { get; set; } = new();

    /// <summary>Whose <c>x-mesh-explain: 1</c> is answered: <c>off</c>, <c>loopback</c> or <c>everyone</c>.</summary>
    [EnumDataType(typeof(ExplainMode))]
    public ExplainMode Explain { get; set; } = ExplainMode.Loopback;

    /// <summary>Which decisions are kept.</summary>
    [ValidateObjectMembers]
    public DecisionLogOptions DecisionLog { get; set; } = new();

    /// <summary>Seed of the choices between weighted pools; the same seed and order of requests choose the same.</summary>
    public ulong Seed { get; set; } = 1;
}
