using System.ComponentModel.DataAnnotations;

namespace Mesh.Silo;

/// <summary>Options of the process beside the gateway's own: section <c>Silo</c> of the configuration (<c>--Silo:Role=…</c>, <c>Silo__Role=…</c>, appsettings.json).</summary>
internal sealed record SiloOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Silo";

    /// <summary>What the process does: <c>Silo</c>, <c>Gateway</c> or <c>Both</c>.</summary>
    [EnumDataType(typeof(SiloRole))]
    public SiloRole Role { get; set; } = SiloRole.Both;

    /// <summary>Name of the cluster: silos and gateways of one region share it, and those of another have another.</summary>
    [Required]
    public string ClusterId { get; set; } = "mesh";

    /// <summary>Name of the service, the same for as long as the cluster lives.</summary>
    [Required]
    public string ServiceId { get; set; } = "mesh";

    /// <summary>Redis that keeps the list of silos, as StackExchange.Redis reads it (<c>10.0.0.7:6379,password=…</c>); unset means silos of this machine alone.</summary>
    public string? Redis { get; set; }

    /// <summary>Address by which other silos and gateways reach this silo.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port for other silos, 1–65535.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 11111;

    /// <summary>Port for gateways, 1–65535.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;

    /// <summary>Without Redis: port, of this machine, of the first silo, which the others ask for the list of silos; unset means that this is the first.</summary>
    [Range(1, 65535)]
    public int? PrimaryPort { get; set; }

    /// <summary>Without Redis: ports for gateways, of this machine, of the silos that a gateway connects to, separated by commas.</summary>
    [Required]
    public string GatewayPorts { get; set; } = "30000";

    /// <summary><c>address:port</c> of the silo's administrative listener, which has the dashboard, <c>/healthz</c>, <c>/readyz</c> and
    /// <c>/mesh/v1/grains</c>; unset means none. Other addresses than this machine's own need the gateway's keys (<c>Mesh:Keys</c>) or <see cref="OpenAdmin"/>.</summary>
    public string? Admin { get; set; }

    /// <summary>True when others may reach the administrative listener also where no keys are configured.</summary>
    public bool OpenAdmin { get; set; }

    /// <summary>From which level on the log shows what Orleans says of itself.</summary>
    [EnumDataType(typeof(LogLevel))]
    public LogLevel OrleansLog { get; set; } = LogLevel.Error;

    /// <summary>Shards that every pool has at least, 1–16; the same on every silo.</summary>
    [Range(1, 16)]
    public int Shards { get; set; } = 1;

    /// <summary>Shards that a pool may be split into when one activation cannot keep up, 1–16; not above <see cref="Shards"/>, the number is fixed. The same on every silo.</summary>
    [Range(1, 16)]
    public int MaxShards { get; set; } = 1;

    /// <summary>Name of this gateway, another one for each process; unset means the machine's name and the process's number.</summary>
    public string? GatewayId { get; set; }

    /// <summary>Time that a silo gets for a probe of another, 100 ms–1 min. Two that fail make a silo dead.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long a process that was told to stop may take to hand over and to leave the list of silos, 1 s–1 h. What has not ended by then, for instance
    /// because Redis cannot be reached, is left as if the process had died.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a gateway that reaches no silo goes on by what it last knew, 0–24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan FailStaticFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Reads the section.</summary>
    /// <exception cref="Gateway.Hosting.GatewayConfigurationException">An option cannot be read or is out of its range; the message names all of them.</exception>
    public static SiloOptions Read(IConfiguration configuration)
    {
        try
        {
            var options = configuration.GetSection(Section).Get<SiloOptions>(b => b.ErrorOnUnknownConfiguration = true) ?? new SiloOptions();
            var results = new List<ValidationResult>();
            if (Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true)) return options;
            throw new Gateway.Hosting.GatewayConfigurationException(string.Join('\n', results.Select(r => $"Silo: {r.ErrorMessage}")));
        }
        catch (InvalidOperationException e)
        {
            throw new Gateway.Hosting.GatewayConfigurationException(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message, e);
        }
    }
}
