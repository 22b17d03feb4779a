using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Microsoft.Extensions.Configuration;

namespace Mesh.Silo.Tests;

public sealed class SiloOptionsTests
{
    [Fact]
    public void Read_Nothing_IsBothOnThisMachine()
    {
        var options = Read();

        Assert.Equal(SiloRole.Both, options.Role);
        Assert.Null(options.Redis);
        Assert.Null(options.Admin);
    }

    [Theory]
    [InlineData("Silo:Rolle", "Silo", "Rolle")]
    [InlineData("Silo:Role", "Both2", "Both2")]
    [InlineData("Silo:Port", "70000", "Port")]
    [InlineData("Silo:ProbeTimeout", "00:10:00", "ProbeTimeout")]
    public void Read_CannotBeUsed_SaysWhich(string name, string value, string named) =>
        Assert.Contains(named, Assert.Throws<GatewayConfigurationException>(() => Read((name, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void AdminAddress_OthersCanReachIt_OnlyWhenSaidSo()
    {
        var none = new KeyOptions();
        Assert.Throws<GatewayConfigurationException>(() => AdminPages.Address(Read(("Silo:Admin", "0.0.0.0:9091")), none));
        Assert.Throws<GatewayConfigurationException>(() => AdminPages.Address(Read(("Silo:Admin", "here")), none));
        Assert.Equal(9091, AdminPages.Address(Read(("Silo:Admin", "0.0.0.0:9091"), ("Silo:OpenAdmin", "true")), none).Port);
        Assert.Equal(9091, AdminPages.Address(Read(("Silo:Admin", "127.0.0.1:9091")), none).Port);
    }

    [Fact]
    public void AdminAddress_OthersCanReachIt_KeysAreEnough()
    {
        var options = Read(("Silo:Admin", "0.0.0.0:9091"));

        Assert.Equal(9091, AdminPages.Address(options, new KeyOptions { File = "keys.json" }).Port);
        Assert.Throws<GatewayConfigurationException>(() => AdminPages.Address(options, new KeyOptions { File = "keys.json", Mode = KeyMode.Off }));
        Assert.Throws<GatewayConfigurationException>(() => AdminPages.Address(Read(("Silo:Admin", "127.0.0.1:9091")), new KeyOptions { Mode = KeyMode.Required }));
    }

    private static SiloOptions Read(params (string Name, string Value)[] values) => SiloOptions.Read(
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(v => new KeyValuePair<string, string?>(v.Name, v.Value))).Build());
}
